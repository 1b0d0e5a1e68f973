// The gated short convolution of LFM2: each channel looks a few tokens back. Follows `Lfm2ShortConv` of Transformers 5.18.
import type { DecoderConfig } from '../../config/decoder-config'
import { DECODER_IO } from '../decoder-io'
import type { Parts } from '../parts'
import { addLinear } from './linear'
import { addSum } from './norm'
import { moduleOf, type BlockPlace } from './projections'

interface ShortConvolutionSpec extends BlockPlace {
  readonly index: number
  readonly convolution: NonNullable<DecoderConfig['convolution']>
}

/** Past the end of every axis. */
const END = 2 ** 31 - 1

/**
 * Adds the taps of a causal convolution over rows. rows: [kernel - 1 + n, hiddenSize] F32, out: [n, hiddenSize] F32.
 *
 *     rows ─┬─ Slice(0, n) ─── Mul(weights of the oldest tap) ─┐
 *           ├─ ...                                             ├─ Add ── (Add bias) ── y
 *           └─ Slice(kernel - 1, end) ── Mul(weights of now) ──┘
 */
function addTaps(parts: Parts, rows: string, spec: ShortConvolutionSpec & { readonly module: string }): string {
  const { builder, config, weights } = parts
  const { path, module, convolution } = spec
  const { hiddenSize } = config
  const kernel = weights.vector({ tensor: `${module}.weight`, shape: [hiddenSize, 1, convolution.kernel] })
  const taps = builder.node({
    path: `${path}/kernel/Transpose`,
    op: 'Transpose',
    inputs: [kernel],
    attributes: { perm: { ints: [2, 1, 0] } },
  })
  let sum: string | null = null
  for (let tap = 0; tap < convolution.kernel; tap++) {
    const behind = tap - (convolution.kernel - 1)
    const range = [builder.int64([tap]), builder.int64([behind === 0 ? END : behind]), builder.int64([0])]
    const seen = builder.node({ path: `${path}/tap_${tap}/Slice`, op: 'Slice', inputs: [rows, ...range] })
    const index = builder.int64([tap])
    const gathered = builder.node({
      path: `${path}/tap_${tap}/Gather`,
      op: 'Gather',
      inputs: [taps, index],
      attributes: { axis: { int: 0 } },
    })
    const weight = builder.node({ path: `${path}/tap_${tap}/Reshape`, op: 'Reshape', inputs: [gathered, builder.int64([hiddenSize])] })
    const product = builder.node({ path: `${path}/tap_${tap}/Mul`, op: 'Mul', inputs: [seen, weight] })
    sum = sum === null ? product : addSum(builder, { path: `${path}/tap_${tap}`, a: sum, b: product })
  }
  const convolved = sum ?? rows
  if (!convolution.bias) return convolved
  const bias = weights.vector({ tensor: `${module}.bias`, shape: [hiddenSize] })
  return addSum(builder, { path: `${path}/bias`, a: convolved, b: bias })
}

/**
 * Adds the block. x: [n, hiddenSize] F32, same shape out; the border values of the layer hold the last kernel - 1 rows of what is convolved.
 *
 *     x ── in_proj ── Split ─┬─ before ─ Mul ─┐
 *                            ├─ inner ────┘   Concat(past) ─┬─ taps ── Mul ── out_proj ── y
 *                            └─ after ──────────────────────┼───────────┘
 *                                                           └─ Slice(last kernel - 1) ── present
 */
export function addShortConvolution(parts: Parts, x: string, spec: ShortConvolutionSpec): string {
  const { builder, config } = parts
  const { path, folder, index, convolution } = spec
  const { hiddenSize, names } = config
  const { bias, kernel } = convolution
  const border = (name: string) => ({ name, dtype: 'F32' as const, shape: [kernel - 1, hiddenSize] })
  const past = builder.input(border(DECODER_IO.pastConvolution(index)))
  const module = (name: string | undefined): string => moduleOf(folder, name)
  const wide = addLinear(parts, x, {
    path: `${path}/in_proj`,
    module: module(names.convolution?.input),
    inFeatures: hiddenSize,
    outFeatures: 3 * hiddenSize,
    bias,
  })
  const after = `${path}/Split/output_1`
  const inner = `${path}/Split/output_2`
  const before = builder.node({
    path: `${path}/Split`,
    op: 'Split',
    inputs: [wide, builder.int64([hiddenSize, hiddenSize, hiddenSize])],
    outputs: [`${path}/Split/output_0`, after, inner],
    attributes: { axis: { int: -1 } },
  })
  const gated = builder.node({ path: `${path}/before/Mul`, op: 'Mul', inputs: [before, inner] })
  const rows = builder.node({ path: `${path}/Concat`, op: 'Concat', inputs: [past, gated], attributes: { axis: { int: 0 } } })
  const present = builder.node({
    path: `${path}/present/Slice`,
    op: 'Slice',
    inputs: [rows, builder.int64([-(kernel - 1)]), builder.int64([END]), builder.int64([0])],
    outputs: [DECODER_IO.presentConvolution(index)],
  })
  builder.output(border(present))
  const convolved = addTaps(parts, rows, { ...spec, module: module(names.convolution?.kernel) })
  const product = builder.node({ path: `${path}/after/Mul`, op: 'Mul', inputs: [after, convolved] })
  return addLinear(parts, product, {
    path: `${path}/out_proj`,
    module: module(names.convolution?.output),
    inFeatures: hiddenSize,
    outFeatures: hiddenSize,
    bias,
  })
}
