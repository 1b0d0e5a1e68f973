// Header of a llama2.c export, versions 0 to 2. Follows karpathy/llama2.c export.py (legacy_export, version1_export, version2_export) and run.c.

/** What a header says. `version` 0 is the export without magic; `groupSize` are the int8 values under one scale, of version 2 alone. */
export interface Llama2cHeader {
  readonly version: 0 | 1 | 2
  readonly headerBytes: number
  readonly dim: number
  readonly hiddenDim: number
  readonly layers: number
  readonly heads: number
  readonly keyValueHeads: number
  readonly vocabSize: number
  readonly seqLen: number
  /** The output head is the embedding, and is not in the file. */
  readonly sharedClassifier: boolean
  readonly groupSize: number | null
}

/** "ak42", stored as a little-endian number. */
const MAGIC = 0x616b3432
const LEGACY_HEADER_BYTES = 28
const HEADER_BYTES = 256

/** Limits of the counts: what is outside is no model, and all sizes within stay exact numbers (below 2^53). */
const LIMITS = {
  dim: { max: 131_072, why: 'the widest public decoders have 18,432' },
  hidden_dim: { max: 1_048_576, why: 'eight times the largest width' },
  n_layers: { max: 1_024, why: 'the deepest public decoders have 126' },
  n_heads: { max: 1_024, why: 'public decoders have at most 256' },
  n_kv_heads: { max: 1_024, why: 'there are no more than heads' },
  vocab_size: { max: 4_194_304, why: 'the largest public vocabularies have about one million' },
  max_seq_len: { max: 134_217_728, why: 'the longest public context is about ten million' },
} as const

/** Whether the first bytes are the magic of version 1 and later. */
export function hasLlama2cMagic(prefix: Uint8Array): boolean {
  return prefix.length >= 8 && new DataView(prefix.buffer, prefix.byteOffset).getUint32(0, true) === MAGIC
}

/** Why the counts are none of a decoder; null where they are. */
function contradiction(header: Llama2cHeader): string | null {
  const { dim, hiddenDim, layers, heads, keyValueHeads, vocabSize, seqLen, groupSize } = header
  const counts = {
    dim,
    hidden_dim: hiddenDim,
    n_layers: layers,
    n_heads: heads,
    n_kv_heads: keyValueHeads,
    vocab_size: vocabSize,
    max_seq_len: seqLen,
  }
  for (const [name, { max, why }] of Object.entries(LIMITS)) {
    const value = counts[name as keyof typeof LIMITS] // keys of LIMITS
    if (value < 1 || value > max) return `${name} is ${value}; 1 to ${max} are possible (${why})`
  }
  if (dim % heads !== 0 || (dim / heads) % 2 !== 0) return `${heads} heads do not divide the width ${dim} into even sizes`
  if (heads % keyValueHeads !== 0) return `${keyValueHeads} key-value heads do not divide ${heads} heads`
  if (groupSize !== null && (groupSize < 1 || dim % groupSize !== 0)) return `groups of ${groupSize} do not divide the width ${dim}`
  return null
}

function readCounts(
  view: DataView,
  offsetBytes: number,
): Pick<Llama2cHeader, 'dim' | 'hiddenDim' | 'layers' | 'heads' | 'keyValueHeads' | 'vocabSize' | 'seqLen'> {
  const count = (index: number): number => view.getInt32(offsetBytes + 4 * index, true)
  return {
    dim: count(0),
    hiddenDim: count(1),
    layers: count(2),
    heads: count(3),
    keyValueHeads: count(4),
    vocabSize: count(5),
    seqLen: count(6),
  }
}

/** Reads the first bytes of a file without magic; null where they cannot be such a header. A negative vocabulary says that the head is in the file. */
export function readLegacyHeader(prefix: Uint8Array): Llama2cHeader | null {
  if (prefix.length < LEGACY_HEADER_BYTES) return null
  const counts = readCounts(new DataView(prefix.buffer, prefix.byteOffset), 0)
  const sharedClassifier = counts.vocabSize > 0
  const vocabSize = Math.abs(counts.vocabSize)
  const header = { ...counts, vocabSize, version: 0, headerBytes: LEGACY_HEADER_BYTES, sharedClassifier, groupSize: null } as const
  return contradiction(header) === null ? header : null
}

/** Reads a header with magic; a text says what is wrong with it. */
export function readMagicHeader(prefix: Uint8Array): Llama2cHeader | string {
  if (prefix.length < HEADER_BYTES) return `its header has ${prefix.length} of ${HEADER_BYTES} bytes`
  const view = new DataView(prefix.buffer, prefix.byteOffset)
  const version = view.getInt32(4, true)
  if (version !== 1 && version !== 2) return `it is version ${version}; versions 1 and 2 have this header`
  const header: Llama2cHeader = {
    ...readCounts(view, 8),
    version,
    headerBytes: HEADER_BYTES,
    sharedClassifier: view.getUint8(36) !== 0,
    // Packed behind the one byte before it.
    groupSize: version === 2 ? view.getInt32(37, true) : null,
  }
  return contradiction(header) ?? header
}
