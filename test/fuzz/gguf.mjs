// Structure-aware damage to GGUF files: every number of the header, and what lies between them.

const SCALAR_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, null, null, 8, 8, 8]

/** Where every number of a correct header lies: [offset, size]. */
function fieldsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const littleEndian = view.getUint32(4, true) < 0x10000
  const fields = []
  let position = 4
  const field = (size) => {
    fields.push([position, size])
    position += size
    return size === 4 ? view.getUint32(position - 4, littleEndian) : Number(view.getBigUint64(position - 8, littleEndian))
  }
  const text = () => {
    const length = field(8)
    position += length
  }
  const value = (type) => {
    if (type === 8) text()
    else if (type === 9) {
      const element = field(4)
      for (let left = field(8); left > 0; left--) value(element)
    } else position += SCALAR_BYTES[type]
  }
  field(4)
  const tensors = field(8)
  for (let left = field(8); left > 0; left--) {
    text()
    value(field(4))
  }
  for (let left = tensors; left > 0; left--) {
    text()
    for (let rank = field(4); rank > 0; rank--) field(8)
    field(4)
    field(8)
  }
  return { fields, headerBytes: position, littleEndian }
}

const plain = (name, typeNumber, dimensions, sizeBytes) => ({ name, typeNumber, dimensions, bytes: new Uint8Array(sizeBytes).fill(7) })
const metadata = [
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['general.alignment', { type: 'u32', value: 32 }],
  ['llama.block_count', { type: 'u32', value: 2 }],
  ['tokenizer.ggml.tokens', { type: 'strings', value: ['<unk>', '<s>', 'a\u00e9', ''] }],
  ['tokenizer.ggml.token_type', { type: 'i32s', value: [2, 3, 1, 1] }],
  ['flag', { type: 'bool', value: true }],
  ['large', { type: 'u64', value: 2n ** 40n }],
]
const tensors = [
  plain('token_embd.weight', 2, [64, 4], 4 * 2 * 18),
  plain('output_norm.weight', 0, [64], 256),
  plain('scalar', 27, [], 8),
  plain('blk.0.ffn_up.weight', 12, [256, 2], 288),
  plain('blk.0.ffn_down.weight', 30, [3, 5], 30),
]
const NUMBERS = [0n, 1n, 2n, 7n, 8n, 9n, 31n, 32n, 33n, 255n, 256n, 0x7fffn, 0xffffn, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n]
NUMBERS.push(2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 32n, 2n ** 64n - 1n)

/** One or two changes of a correct file. */
function mutate({ bytes: base, fields, headerBytes, littleEndian }, random) {
  const pick = (list) => list[Math.floor(random() * list.length)]
  let bytes = base.slice()
  const read = (view, [offset, size]) =>
    size === 4 ? BigInt(view.getUint32(offset, littleEndian)) : view.getBigUint64(offset, littleEndian)
  const write = (view, [offset, size], value) => {
    if (size === 4) view.setUint32(offset, Number(BigInt.asUintN(32, value)), littleEndian)
    else view.setBigUint64(offset, BigInt.asUintN(64, value), littleEndian)
  }
  for (let changes = 1 + Math.floor(random() * 2); changes > 0; changes--) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const target = pick(fields.filter(([offset, size]) => offset + size <= bytes.length).concat([[4, 4]]))
    if (bytes.length < 8) return bytes
    const at = Math.floor(random() * Math.min(bytes.length, headerBytes))
    const length = Math.floor(random() * 64)
    switch (Math.floor(random() * 8)) {
      case 0:
      case 1:
        write(view, target, pick(NUMBERS))
        break
      case 2:
        write(view, target, read(view, target) + BigInt(Math.floor(random() * 65) - 32))
        break
      case 3: {
        const source = pick(fields)
        if (source[0] + source[1] <= bytes.length) write(view, target, read(view, source))
        break
      }
      case 4:
        bytes[at] ^= 1 << Math.floor(random() * 8)
        break
      case 5:
        bytes = bytes.slice(0, Math.floor(random() * bytes.length))
        break
      case 6:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)])
        break
      default:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at, at + length), ...bytes.subarray(at)])
    }
  }
  return bytes
}

/** The cases of GGUF files: made ones of both byte orders and versions, and those given by name. */
export function ggufCases(given, { ggufFile }) {
  const bases = [
    ggufFile({ metadata, tensors }),
    ggufFile({ metadata, tensors, littleEndian: false }),
    ggufFile({ version: 2, metadata: metadata.slice(3), tensors: tensors.slice(1, 3) }),
  ]
  const all = { ...Object.fromEntries(bases.map((bytes, index) => [`made-${index}.gguf`, bytes])), ...given }
  return Object.entries(all).map(([file, bytes]) => {
    const source = { bytes, ...fieldsOf(bytes) }
    return { name: file, open: file, originals: { [file]: bytes }, mutate: (random) => ({ [file]: mutate(source, random) }) }
  })
}
