// Reader of llama2.c exports: version 0 without magic, version 1 in F32, version 2 in int8 groups. Follows karpathy/llama2.c export.py, run.c and runq.c.
import { openRandomAccessFile, type RandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import { note } from '../../notes'
import { createCheckpoint, type ComputeRange } from '../tensor-files'
import type { Checkpoint, ReadOptions, TensorInfo } from '../types'
import { hasLlama2cMagic, readLegacyHeader, readMagicHeader, type Llama2cHeader } from './header'
import { layOutLlama2c, type Llama2cLayout, type Llama2cTensor } from './layout'

async function readHeader(file: RandomAccessFile, options: ReadOptions): Promise<Llama2cHeader> {
  const prefix = await file.read({
    offsetBytes: 0,
    sizeBytes: Math.min(256, file.sizeBytes),
    ...(options.signal && { signal: options.signal }),
  })
  const header = hasLlama2cMagic(prefix) ? readMagicHeader(prefix) : readLegacyHeader(prefix)
  if (header === null || typeof header === 'string')
    throw engineError('checkpoint/llama2c-header', { path: file.path, reason: header ?? 'its counts are none of a decoder' })
  return header
}

/** Values of int8 groups: elements from `offsetBytes / 4` on, each times the scale of its group, in single precision as runq.c computes. */
function scaledRange(place: Llama2cTensor, options: { readonly path: string; readonly groupSize: number }): ComputeRange {
  const { path, groupSize } = options
  const elements = place.shape.reduce((product, size) => product * size, 1)
  return async ({ offsetBytes, sizeBytes, open, signal }) => {
    const first = Math.floor(offsetBytes / 4)
    const end = Math.ceil((offsetBytes + sizeBytes) / 4)
    const firstGroup = Math.floor(first / groupSize)
    const groups = Math.ceil(end / groupSize) - firstGroup
    const file = await open(path)
    const cancel = signal && { signal }
    const codes = await file.read({ offsetBytes: place.offsetBytes + first, sizeBytes: end - first, ...cancel })
    const scales = new DataView(
      (await file.read({ offsetBytes: place.offsetBytes + elements + 4 * firstGroup, sizeBytes: 4 * groups, ...cancel })).buffer,
    )
    const values = new DataView(new ArrayBuffer(4 * codes.length))
    for (const [index, code] of new Int8Array(codes.buffer).entries()) {
      const group = Math.floor((first + index) / groupSize) - firstGroup
      values.setFloat32(4 * index, code * scales.getFloat32(4 * group, true), true)
    }
    return new Uint8Array(values.buffer).slice(offsetBytes - 4 * first, offsetBytes - 4 * first + sizeBytes)
  }
}

/** theta from the angles theta^(-2i/d) of the second position, to the digits that a table of singles has; null where a head has one pair. */
async function rotaryBase(file: RandomAccessFile, header: Llama2cHeader, { rotation }: Llama2cLayout): Promise<number | null> {
  const pairs = header.dim / header.heads / 2
  if (rotation === null || pairs < 2 || header.seqLen < 2) return null
  const second = async (offsetBytes: number): Promise<number> =>
    new DataView((await file.read({ offsetBytes: offsetBytes + 4 * (pairs + 1), sizeBytes: 4 })).buffer).getFloat32(0, true)
  const theta = Math.atan2(await second(rotation.sinOffsetBytes), await second(rotation.cosOffsetBytes)) ** -pairs
  if (!Number.isFinite(theta) || theta < 2) return null
  const digits = Number(theta.toPrecision(3))
  return Math.abs(digits / theta - 1) < 5e-3 ? digits : theta
}

function settingsOf(header: Llama2cHeader, theta: number | null): NonNullable<Checkpoint['settings']> {
  return {
    dim: header.dim,
    hidden_dim: header.hiddenDim,
    n_layers: header.layers,
    n_heads: header.heads,
    n_kv_heads: header.keyValueHeads,
    vocab_size: header.vocabSize,
    max_seq_len: header.seqLen,
    ...(theta !== null && { rope_theta: theta }),
    ...(header.groupSize !== null && { group_size: header.groupSize }),
  }
}

/**
 * Opens an export; names are those of llama2.c's model.py, int8 groups read as F32. Throws "checkpoint/llama2c-header" and "checkpoint/llama2c-size".
 */
export async function openLlama2c(path: string, options: ReadOptions): Promise<Checkpoint> {
  using file = await openRandomAccessFile(path)
  const header = await readHeader(file, options)
  const layout = layOutLlama2c(header)
  const { version, groupSize } = header
  if (layout.sizeBytes !== file.sizeBytes)
    throw engineError('checkpoint/llama2c-size', { path: file.path, expectedBytes: layout.sizeBytes, sizeBytes: file.sizeBytes })
  const tensors = new Map<string, TensorInfo>()
  const computed = new Map<string, ComputeRange>()
  for (const place of layout.tensors) {
    const { name, shape, offsetBytes, scaled } = place
    const common = { name, dtype: 'F32', shape, file: file.path, sizeBytes: shape.reduce((product, size) => product * size, 4) } as const
    if (scaled && groupSize !== null) {
      tensors.set(name, { ...common, storage: 'computed', computation: 'dequantized' })
      computed.set(name, scaledRange(place, { path: file.path, groupSize }))
    } else tensors.set(name, { ...common, offsetBytes })
  }
  return createCheckpoint({
    format: 'llama2c',
    files: [{ path: file.path, sizeBytes: file.sizeBytes }],
    tensors,
    computed,
    metadata: { 'llama2.c version': String(version) },
    settings: settingsOf(header, await rotaryBase(file, header, layout)),
    notes: [
      ...(groupSize === null ? [] : [note('checkpoint/groups-as-float32', { groupSize })]),
      ...(layout.rotation === null ? [] : [note('checkpoint/left-out-rotation')]),
    ],
  })
}
