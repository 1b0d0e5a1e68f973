// Measures what this machine's kernels read in a second: chains of products of one row with random matrices, larger together than usual caches, as decoding does them.
import { randomFillSync } from 'node:crypto'
import { writeModelProto, type GraphDtype, type GraphNode, type Initializer } from '../graph/onnx/model-proto'
import type { WeightKernel } from '../plan/types'
import type { KernelSpeeds } from '../plan/speed-model'
import { nbitsLayout, type NBitsFormat } from '../tensor/nbits/layout'
import { openOrt } from './ort'
import type { OrtRuntime } from './ort-types'
import { defaultThreads } from './threads'

/** Rows and columns of every matrix: the size of a small model's. */
const SIZE = 2048
/** Matrices of a chain, so that each chain has 32 MB and more. */
const MATRICES: Readonly<Record<WeightKernel, number>> = { f32: 3, widened: 4, q8: 8, q4: 14 }
/** A chain is run so often; the median counts. */
const RUNS = 7
/** What a layer costs beside its weights: its norms, rotation, attention over a short context, and the calls of some fifteen nodes. */
const LAYER_SECONDS = 120e-6

interface Chain {
  readonly model: Uint8Array
  readonly bytes: number
}

function node(op: string, path: string, inputs: readonly string[], attributes: GraphNode['attributes'] = {}): GraphNode {
  return { path, op, domain: op === 'MatMulNBits' ? 'com.microsoft' : '', inputs, outputs: [`${path}/output_0`], attributes }
}

/** Random bits with exponents that keep products small. */
function randomValues(dtype: 'F32' | 'BF16', count: number): Uint8Array {
  const bytes = new Uint8Array(count * (dtype === 'F32' ? 4 : 2))
  randomFillSync(bytes)
  if (dtype === 'F32') {
    const words = new Uint32Array(bytes.buffer)
    for (let index = 0; index < words.length; index++) words[index] = ((words[index] ?? 0) & 0x807fffff) | 0x3c000000
  } else {
    const words = new Uint16Array(bytes.buffer)
    for (let index = 0; index < words.length; index++) words[index] = ((words[index] ?? 0) & 0x807f) | 0x3c00
  }
  return bytes
}

function chain(kernel: WeightKernel): Chain {
  const nodes: GraphNode[] = []
  const initializers: Initializer[] = []
  let bytes = 0
  const add = (name: string, dtype: GraphDtype, shape: readonly number[], data: Uint8Array): string => {
    initializers.push({ name, dtype, shape, data: { kind: 'inline', bytes: data } })
    bytes += data.length
    return name
  }
  let x = 'x'
  for (let index = 0; index < MATRICES[kernel]; index++) {
    if (kernel === 'q8' || kernel === 'q4') {
      const format: NBitsFormat =
        kernel === 'q8' ? { bits: 8, blockSize: 32, symmetric: true } : { bits: 4, blockSize: 64, symmetric: false }
      const { blocksPerRow, codeRowBytes, zeroPointRowBytes, codeBytes } = nbitsLayout({ rows: SIZE, columns: SIZE }, format)
      const codes = add(
        `${index}/codes`,
        'U8',
        [SIZE, blocksPerRow, codeRowBytes / blocksPerRow],
        randomFillSync(new Uint8Array(codeBytes)),
      )
      const scales = add(`${index}/scales`, 'F32', [SIZE, blocksPerRow], randomValues('F32', SIZE * blocksPerRow))
      const zeros = format.symmetric
        ? ''
        : add(`${index}/zeros`, 'U8', [SIZE, zeroPointRowBytes], randomFillSync(new Uint8Array(SIZE * zeroPointRowBytes)))
      const sizes = { K: { int: SIZE }, N: { int: SIZE }, bits: { int: format.bits }, block_size: { int: format.blockSize } }
      nodes.push(node('MatMulNBits', `/${index}`, [x, codes, scales, zeros], { ...sizes, accuracy_level: { int: 4 } }))
    } else {
      const dtype = kernel === 'f32' ? 'F32' : 'BF16'
      const stored = add(`${index}/weight`, dtype, [SIZE, SIZE], randomValues(dtype, SIZE * SIZE))
      if (dtype === 'BF16') nodes.push(node('Cast', `/${index}/cast`, [stored], { to: { cast: 'F32' } }))
      nodes.push(node('Gemm', `/${index}`, [x, dtype === 'F32' ? stored : `/${index}/cast/output_0`], { transB: { int: 1 } }))
    }
    x = `/${index}/output_0`
  }
  const border = (name: string) => ({ name, dtype: 'F32', shape: [1, SIZE] }) as const
  const model = writeModelProto({ name: kernel, nodes, inputs: [border('x')], outputs: [border(x)], initializers })
  return { model, bytes }
}

async function measure(runtime: OrtRuntime, kernel: WeightKernel, options: MeasureOptions & { readonly threads: number }): Promise<number> {
  const { model, bytes } = chain(kernel)
  const isPacked = kernel === 'q8' || kernel === 'q4'
  const cancel = options.signal === undefined ? {} : { signal: options.signal }
  using session = await runtime.createSession({
    model,
    intraOpNumThreads: options.threads,
    prepacking: isPacked,
    constantFolding: false,
    ...cancel,
  })
  using x = runtime.allocate({ dtype: 'F32', shape: [1, SIZE] })
  new Float32Array(x.bytes.buffer, x.bytes.byteOffset, SIZE).fill(1e-3)
  using y = runtime.allocate({ dtype: 'F32', shape: [1, SIZE] })
  const outputs = Object.fromEntries(session.outputNames.map((name) => [name, y]))
  const seconds: number[] = []
  for (let run = 0; run <= RUNS; run++) {
    const startMs = performance.now()
    await session.run({ inputs: { x }, outputs, ...cancel })
    // The first run finds memory that was never touched.
    if (run > 0) seconds.push((performance.now() - startMs) / 1000)
  }
  seconds.sort((a, b) => a - b)
  return bytes / (seconds[RUNS >> 1] ?? Number.NaN)
}

interface MeasureOptions {
  readonly threads?: number | null
  readonly signal?: AbortSignal
}

/** Measures all kernels one after the other: about a second, 100 MB of memory meanwhile. Throws "runtime/ort-unavailable", "runtime/ort-failed", "runtime/aborted". */
export async function measureKernels(options: MeasureOptions = {}): Promise<KernelSpeeds> {
  const threads = options.threads ?? defaultThreads()
  const runtime = await openOrt({})
  const of = async (kernel: WeightKernel): Promise<number> => await measure(runtime, kernel, { ...options, threads })
  const bytesPerSecond = { f32: await of('f32'), widened: await of('widened'), q8: await of('q8'), q4: await of('q4') }
  return { threads, bytesPerSecond, layerSeconds: LAYER_SECONDS }
}
