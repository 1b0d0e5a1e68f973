// Structure-aware damage to headers in JSON, to protobufs, to NumPy archives and to indexes with checksums: what is around the damage is made right again.
import { inflateRawSync } from 'node:zlib'
import { below, damage, INTERESTING, pick } from './random.mjs'

const VALUES = [
  '0',
  '-1',
  '1',
  '1.5',
  '1e400',
  '18446744073709551615',
  '9007199254740993',
  'null',
  'true',
  '""',
  '"../x"',
  '"F32"',
  '"F4"',
  '[]',
  '{}',
  '[0,0]',
  '[[]]',
]
const DTYPES = ['"BOOL"', '"F4"', '"U8"', '"F8_E4M3"', '"BF16"', '"F32"', '"F64"', '"I64"', '"C64"', '"F6_E2M3"']

/** Where every value of a correct JSON text stands: [start, end]. */
function jsonValues(text) {
  const found = []
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\]]/g))
    found.push([index, index + token.length])
  return found
}

/** Replaces, removes, repeats and moves tokens of a JSON text. */
export function damageJson(text, random) {
  let result = text
  for (let times = 1 + below(random, 3); times > 0; times--) {
    const tokens = jsonValues(result)
    if (tokens.length === 0) return result
    const scalars = tokens.filter(([at]) => !'{}[]'.includes(result[at]))
    // Mostly values: a text that is no JSON any more ends at the first check.
    const breaks = random() < 0.15 || scalars.length === 0
    const [start, end] = pick(random, breaks ? tokens : scalars)
    const token = result.slice(start, end)
    const kind = below(random, breaks ? 8 : 4)
    const [otherStart, otherEnd] = pick(random, breaks ? tokens : scalars)
    const other = result.slice(otherStart, otherEnd)
    const replaced = (text) => result.slice(0, start) + text + result.slice(end)
    if (kind === 0) result = replaced(pick(random, VALUES))
    else if (kind === 1) result = replaced(String(pick(random, INTERESTING)))
    else if (kind === 2) result = replaced(/^\d+$/.test(token) ? String(Number(token) + below(random, 33) - 16) : other)
    else if (kind === 3) result = replaced(/^"[A-Z]/.test(token) ? pick(random, DTYPES) : other)
    else if (kind === 4) result = replaced('')
    else if (kind === 5) result = replaced(`${token},${token}`)
    else if (kind === 6) result = result.slice(0, start) + result.slice(start, start + below(random, 200)) + result.slice(start)
    else result = damage(Buffer.from(result), random).toString('utf8')
  }
  return result
}

/** A safetensors file whose header is damaged; its length is mostly right. */
export function safetensorsCase(name, bytes) {
  const headerBytes = Number(bytes.readBigUInt64LE(0))
  const text = bytes.toString('utf8', 8, 8 + headerBytes)
  const mutate = (random) => {
    if (random() < 0.1) return { [name]: damage(bytes, random) }
    const header = Buffer.from(damageJson(text, random))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(random() < 0.05 ? pick(random, INTERESTING) : header.length))
    return { [name]: Buffer.concat([length, header, bytes.subarray(8 + headerBytes)]) }
  }
  return { name, open: name, originals: { [name]: bytes }, mutate }
}

/** A folder of shards: the index is damaged, or one of the shards. */
export function shardIndexCase(name, { index, shards }) {
  const indexName = 'model.safetensors.index.json'
  const parts = Object.entries(shards).map(([file, bytes]) => safetensorsCase(file, bytes))
  const mutate = (random) => (random() < 0.7 ? { [indexName]: Buffer.from(damageJson(index, random)) } : pick(random, parts).mutate(random))
  return { name, open: '.', originals: { [indexName]: Buffer.from(index), ...shards }, mutate }
}

function varint(value) {
  const bytes = []
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 127n) | 128)
  }
}

function readVarint(bytes, at) {
  let value = 0n
  for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
    const byte = bytes[at++]
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return { value, at }
  }
  return null
}

/** The fields of a message, those that look like messages with their own; null where the bytes are none. */
function parseMessage(bytes, depth = 0) {
  const fields = []
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    if (!tag || tag.value >> 3n === 0n) return null
    const wire = Number(tag.value & 7n)
    at = tag.at
    if (wire === 0) {
      const read = readVarint(bytes, at)
      if (!read) return null
      fields.push({ tag: tag.value, value: read.value })
      at = read.at
    } else if (wire === 2) {
      const length = readVarint(bytes, at)
      if (!length || length.value > BigInt(bytes.length - length.at)) return null
      const content = bytes.subarray(length.at, length.at + Number(length.value))
      const inner = depth < 8 && content.length > 1 ? parseMessage(content, depth + 1) : null
      fields.push({ tag: tag.value, bytes: content, fields: inner })
      at = length.at + Number(length.value)
    } else if (wire === 1 || wire === 5) {
      const size = wire === 1 ? 8 : 4
      if (at + size > bytes.length) return null
      fields.push({ tag: tag.value, raw: bytes.subarray(at, at + size) })
      at += size
    } else return null
  }
  return fields
}

function encodeMessage(fields) {
  return Buffer.concat(
    fields.flatMap(({ tag, value, raw, bytes, fields: inner, lie }) => {
      if (value !== undefined) return [varint(tag), varint(value)]
      if (raw) return [varint(tag), raw]
      const content = inner ? encodeMessage(inner) : bytes
      return [varint(tag), varint(lie ?? BigInt(content.length)), content]
    }),
  )
}

/** Changes fields somewhere in a message: numbers, contents, order, lengths. */
function damageMessage(fields, random) {
  let list = fields
  while (random() < 0.8) {
    const nested = list.filter(({ fields: inner }) => inner && inner.length > 0)
    if (nested.length === 0) break
    list = pick(random, nested).fields
  }
  if (list.length === 0) return
  const at = below(random, list.length)
  const field = list[at]
  const kind = below(random, 7)
  if (kind === 0) list.splice(at, 1)
  else if (kind === 1) list.splice(at, 0, ...list.slice(at, at + 1 + below(random, 20)))
  else if (kind === 2) list[at] = { ...field, tag: (BigInt(below(random, 64)) << 3n) | (field.tag & 7n) || 8n }
  else if (field.value !== undefined)
    list[at] = {
      ...field,
      value:
        random() < 0.5 ? BigInt(pick(random, INTERESTING)) * (random() < 0.3 ? 2n ** 31n : 1n) : field.value + BigInt(below(random, 9) - 4),
    }
  else if (field.raw) list[at] = { ...field, raw: Buffer.from(field.raw.map((byte) => byte ^ (1 << below(random, 8)))) }
  else if (kind === 3) list[at] = { ...field, lie: BigInt(pick(random, INTERESTING)) }
  else list[at] = { tag: field.tag, bytes: damage(field.fields ? encodeMessage(field.fields) : field.bytes, random) }
}

/** A file that is one protobuf, beside others that stay as they are. */
export function protobufCase(name, { file, bytes, beside = {} }) {
  const mutate = (random) => {
    if (random() < 0.2) return { [file]: damage(bytes, random) }
    const fields = parseMessage(bytes)
    if (!fields) throw new Error(`${name} is no protobuf`)
    for (let times = 1 + below(random, 3); times > 0; times--) damageMessage(fields, random)
    return { [file]: encodeMessage(fields) }
  }
  return { name, open: file, originals: { [file]: bytes, ...beside }, mutate }
}

const HEADER_WORDS = [
  "'descr'",
  "'<f4'",
  "'>f8'",
  "'|O'",
  "'|V2'",
  "'<U9'",
  "'<c16'",
  'True',
  'False',
  '()',
  '(1,)',
  '(0,)',
  '(-1,)',
  '(4294967296, 4294967296)',
  'None',
  '[',
  ')',
  "__import__('os')",
]

/** The array of a .npy file with other words in its header, whose length is mostly right. */
function damageArray(bytes, random) {
  if (random() < 0.2) return damage(bytes, random)
  const length = bytes.readUInt16LE(8)
  let header = bytes.toString('latin1', 10, 10 + length)
  const tokens = [...header.matchAll(/'[^']*'|\d+|True|False|[(),{}:]/g)]
  for (let times = 1 + below(random, 2); times > 0; times--) {
    const { 0: token, index } = pick(random, tokens)
    const other = random() < 0.3 ? String(pick(random, INTERESTING)) : random() < 0.6 ? pick(random, HEADER_WORDS) : pick(random, tokens)[0]
    header = header.slice(0, index) + other + header.slice(index + token.length)
  }
  const prefix = Buffer.from(bytes.subarray(0, 10))
  prefix.writeUInt16LE(random() < 0.05 ? pick(random, INTERESTING) & 0xffff : Math.min(header.length, 0xffff), 8)
  return Buffer.concat([prefix, Buffer.from(header, 'latin1'), bytes.subarray(10 + length)])
}

/** A NumPy archive: headers of its arrays, numbers of its directory, or any bytes. */
export function npzCase(name, { bytes, entries, zipFile }) {
  const mutate = (random) => {
    if (random() < 0.25) return { [name]: damage(bytes, random) }
    const changed = entries.map((entry) => ({ ...entry, deflate: random() < 0.1 }))
    const victim = pick(random, changed)
    victim.bytes = damageArray(victim.bytes, random)
    if (random() < 0.2) {
      const lie = pick(random, ['sizeBytes', 'compressedBytes', 'headerOffsetBytes', 'method', 'flags', 'crc32'])
      const value = pick(random, INTERESTING)
      victim[lie] = lie === 'method' || lie === 'flags' ? value & 0xffff : value
    }
    if (random() < 0.05) changed.push(pick(random, changed))
    return { [name]: zipFile(changed) }
  }
  return { name, open: name, originals: { [name]: bytes }, mutate }
}

/** A .npy file. */
export function npyCase(name, bytes) {
  return { name, open: name, originals: { [name]: bytes }, mutate: (random) => ({ [name]: damageArray(bytes, random) }) }
}

/** A llama2.c export: counts of its header, sometimes with a length that fits a little, or any damage. */
export function llama2cCase(name, bytes) {
  const mutate = (random) => {
    if (random() < 0.2) return { [name]: damage(bytes, random) }
    const result = Buffer.from(bytes)
    for (let times = 1 + below(random, 3); times > 0; times--) {
      const at = random() < 0.9 ? 4 * below(random, 9) : below(random, 48)
      const value = random() < 0.5 ? pick(random, INTERESTING) : 1 + below(random, 64)
      result.writeUInt32LE(random() < 0.1 ? -value >>> 0 : value >>> 0, at)
    }
    return { [name]: random() < 0.3 ? result.subarray(0, 28 + 4 * below(random, result.length / 4)) : result }
  }
  return { name, open: name, originals: { [name]: bytes }, mutate }
}

/** The entries of a correct archive whose directory has no zip64 numbers, and where the directory begins. */
export function zipEntries(bytes) {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  const entries = []
  let position = bytes.readUInt32LE(end + 16)
  for (let index = bytes.readUInt16LE(end + 10); index > 0; index--) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => bytes.readUInt16LE(position + offset))
    const header = bytes.readUInt32LE(position + 42)
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28)
    const data = bytes.subarray(start, start + bytes.readUInt32LE(position + 20))
    const name = bytes.toString('utf8', position + 46, position + 46 + nameBytes)
    entries.push({ name, bytes: bytes.readUInt16LE(position + 10) === 8 ? inflateRawSync(data) : data })
    position += 46 + nameBytes + extraBytes + commentBytes
  }
  return { entries, directory: bytes.readUInt32LE(end + 16) }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value >>> 0
})

function maskedCrc(bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8)
  crc = (crc ^ 0xffffffff) >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** Checksums would stop every damage at the door, so the blocks of a TensorFlow index are sealed again where they still stand. */
function sealIndex(original, damaged) {
  if (damaged.length !== original.length) return
  let at = original.length - 48
  const handles = []
  for (let index = 0; index < 2; index++) {
    const offset = readVarint(original, at)
    const size = readVarint(original, offset.at)
    handles.push([Number(offset.value), Number(size.value)])
    at = size.at
  }
  handles.push([0, Math.min(...handles.map(([offset]) => offset)) - 5])
  for (const [offset, size] of handles) {
    if (size > 0) damaged.writeUInt32LE(maskedCrc(damaged.subarray(offset, offset + size + 1)), offset + size + 1)
  }
}

/** Files of which any one is damaged; `open` is what is opened. */
export function filesCase(name, { open, originals }) {
  const mutate = (random) => {
    const [file, bytes] = pick(random, Object.entries(originals))
    const damaged = damage(bytes, random)
    if (file.endsWith('.index') && random() < 0.875) sealIndex(bytes, damaged)
    return { [file]: damaged }
  }
  return { name, open, originals, mutate }
}
