// Structure-aware damage to PyTorch files: instructions of the pickle, entries and directory of the archive.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { damage } from './random.mjs'
import { zipEntries } from './structured.mjs'

const MAX_SOURCE_BYTES = 64 * 1024

const FIXED = { J: 4, K: 1, M: 2, G: 8, h: 1, j: 4, q: 1, r: 4, '\x80': 1, '\x82': 1, '\x83': 2, '\x84': 4, '\x95': 8 }
const PREFIXED = { T: 4, U: 1, X: 4, B: 4, C: 1, '\x8a': 1, '\x8b': 4, '\x8c': 1, '\x8d': 8, '\x8e': 8, '\x96': 8 }
const LINES = { I: 1, L: 1, F: 1, S: 1, V: 1, c: 2, i: 2, g: 1, p: 1, P: 1 }

/** The instructions of a correct pickle from `start` to its STOP. */
function instructions(bytes, start) {
  const found = []
  let position = start
  for (;;) {
    const from = position
    const code = String.fromCharCode(bytes[position++])
    if (code in FIXED) position += FIXED[code]
    else if (code in PREFIXED) {
      const size = PREFIXED[code]
      const length = size === 1 ? bytes[position] : bytes.readUInt32LE(position)
      position += size + length
    } else if (code in LINES) for (let line = 0; line < LINES[code]; line++) position = bytes.indexOf(10, position) + 1
    found.push(bytes.subarray(from, position))
    if (code === '.' || position >= bytes.length) return { found, end: position }
  }
}

const NAMES = [
  'os system',
  'builtins eval',
  'torch._utils _rebuild_tensor_v3',
  'torch UntypedStorage',
  'torch float64',
  'collections OrderedDict',
  'torch.hub load',
  'torch._tensor _rebuild_from_type_v2',
  'argparse Namespace',
  'builtins set',
  'torch DoubleStorage',
  'copyreg _reconstructor',
]
const NUMBERS = [0, 1, 2, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
const OPCODES = '(.012FIJKLMNPQRSTUVX]abcdeghijlopqrstu})\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8f\x90\x91\x92\x93\x94\x95\x96\x97'

/** Changes a few instructions: arguments, order, names, numbers. */
function mutatePickle(list, random) {
  const result = [...list]
  const any = (items) => items[Math.floor(random() * items.length)]
  const place = () => Math.floor(random() * result.length)
  for (let times = 1 + Math.floor(random() * 4); times > 0; times--) {
    const at = place()
    const kind = Math.floor(random() * 8)
    if (kind === 0) result.splice(at, 1)
    else if (kind === 1) result.splice(at, 0, any(result))
    else if (kind === 2) [result[at], result[place()]] = [any(result), result[at]]
    else if (kind === 3) result[at] = Buffer.from(any(OPCODES), 'latin1')
    else if (kind === 4) result[at] = Buffer.from(`c${any(NAMES).replace(' ', '\n')}\n`)
    else if (kind === 5) {
      const bytes = Buffer.alloc(5)
      bytes[0] = 0x4a
      bytes.writeUInt32LE(any(NUMBERS), 1)
      const numbers = result.flatMap((item, index) => ('JKM'.includes(String.fromCharCode(item[0])) ? [index] : []))
      result[numbers.length > 0 ? any(numbers) : at] = bytes
    } else if (kind === 6) {
      const bytes = Buffer.from(result[at])
      if (bytes.length > 1) bytes[1 + Math.floor(random() * (bytes.length - 1))] = Math.floor(random() * 256)
      result[at] = bytes
    } else result.splice(at, 0, ...result.slice(at, at + 1 + Math.floor(random() * 40)))
  }
  return Buffer.concat(result)
}

function mutateBytes(bytes, random, from) {
  const result = Buffer.from(bytes)
  for (let times = 1 + Math.floor(random() * 6); times > 0; times--) {
    const at = from + Math.floor(random() * (result.length - from))
    const kind = Math.floor(random() * 4)
    if (kind === 0) result[at] = Math.floor(random() * 256)
    else if (kind === 1) result[at] ^= 1 << Math.floor(random() * 8)
    else if (at + 4 <= result.length) result.writeUInt32LE(NUMBERS[Math.floor(random() * NUMBERS.length)], at)
  }
  return random() < 0.1 ? result.subarray(0, Math.floor(random() * result.length)) : result
}

const LIES = ['sizeBytes', 'compressedBytes', 'headerOffsetBytes', 'method', 'flags', 'crc32']

function mutateArchive(source, random) {
  const { entries, directory } = source.archive
  if (random() < 0.25) return mutateBytes(source.bytes, random, random() < 0.7 ? directory : 0)
  const changed = entries.map((entry) => ({ ...entry, deflate: random() < 0.1 }))
  const target = changed.findIndex(({ name }) => name.endsWith('data.pkl'))
  changed[target].bytes = mutatePickle(source.instructions, random)
  if (random() < 0.2) {
    const victim = changed[Math.floor(random() * changed.length)]
    const lie = LIES[Math.floor(random() * LIES.length)]
    const value = NUMBERS[Math.floor(random() * NUMBERS.length)]
    victim[lie] = lie === 'method' || lie === 'flags' ? value & 0xffff : value
  }
  if (random() < 0.05) changed.push(changed[Math.floor(random() * changed.length)])
  return source.zipFile(changed)
}

function mutateLegacy(source, random) {
  if (random() < 0.25) return mutateBytes(source.bytes, random, 0)
  const parts = source.pickles.map((list, index) => (index === 3 || random() < 0.1 ? mutatePickle(list, random) : Buffer.concat(list)))
  return Buffer.concat([...parts, source.data])
}

/** What can be damaged in a file; null where it is none of the kind, or too large to be damaged often. */
function readSource(path, zipFile) {
  const bytes = readFileSync(path)
  if (bytes.length > MAX_SOURCE_BYTES) return null
  if (bytes.readUInt32LE(0) === 0x04034b50) {
    if (bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1')) < 0) return null
    const archive = zipEntries(bytes)
    const pickle = archive.entries.find((entry) => entry.name.endsWith('data.pkl'))
    return pickle && pickle.bytes.length < MAX_SOURCE_BYTES
      ? { bytes, zipFile, archive, instructions: instructions(pickle.bytes, 0).found, mutate: mutateArchive }
      : null
  }
  const pickles = []
  let position = 0
  for (let index = 0; index < 5; index++) {
    const { found, end } = instructions(bytes, position)
    pickles.push(found)
    position = end
  }
  return { bytes, pickles, data: bytes.subarray(position), mutate: mutateLegacy }
}

/** The cases of files (torch.save before and since 1.6, TorchScript); files of other kinds are left out. */
export function torchCases(paths, { zipFile }) {
  return paths.flatMap((path) => {
    const source = readSource(path, zipFile)
    const file = basename(path)
    return source
      ? [{ name: file, open: file, originals: { [file]: source.bytes }, mutate: (random) => ({ [file]: source.mutate(source, random) }) }]
      : []
  })
}

const BLOCK = 512

/** Tar headers carry a checksum, which would stop every damage: it is made right again. */
function sealTar(bytes) {
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue
    bytes.fill(' ', at + 148, at + 156)
    let sum = 0
    for (let index = 0; index < BLOCK; index++) sum += bytes[at + index]
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
  }
  return bytes
}

/** The case of a tar archive (PyTorch before 0.1.11). */
export function tarCase(name, bytes) {
  return { name, open: name, originals: { [name]: bytes }, mutate: (random) => ({ [name]: sealTar(damage(bytes, random)) }) }
}
