// What holds for every state dict: sizes come back from shapes, rotary orders undo each other, prefixes go away once.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TensorInfo } from '../../../engine/checkpoint/types'
import { resultNames } from '../../../engine/convert/names'
import {
  addRows,
  doubleRows,
  joinColumns,
  regroupRows,
  reorderRows,
  sliceRows,
  stackRows,
  transposeRows,
  type Rows,
} from '../../../engine/convert/rows'
import { fittingFamilies } from '../../../engine/convert/standard/choose-family'
import { inferConfig, type ConfigEvidence } from '../../../engine/convert/standard/infer-config'
import { recognise } from '../../../engine/convert/standard/recognise'
import { readShapes } from '../../../engine/convert/standard/shapes'

/** Rows of single bytes, so that every row can be told apart. */
function rowsOfBytes(bytes: Uint8Array, rowBytes: number): Rows {
  return {
    count: bytes.length / rowBytes,
    rowBytes,
    read: ({ first, count }) => Promise.resolve(bytes.slice(first * rowBytes, (first + count) * rowBytes)),
  }
}

/** All rows, read in pieces of the given size. */
async function readAll(rows: Rows, step: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let first = 0; first < rows.count; first += step) parts.push(await rows.read({ first, count: Math.min(step, rows.count - first) }))
  return new Uint8Array(Buffer.concat(parts))
}

const bytesOf = (count: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: count, maxLength: count })
const toHalves = (dim: number) => (row: number) => (row < dim / 2 ? 2 * row : 2 * (row - dim / 2) + 1)
const toNeighbours = (dim: number) => (row: number) => (row % 2 === 0 ? row / 2 : dim / 2 + (row - 1) / 2)

describe('rows', () => {
  const heads = fc.record({
    heads: fc.integer({ min: 1, max: 4 }),
    half: fc.integer({ min: 1, max: 4 }),
    rowBytes: fc.integer({ min: 1, max: 3 }),
  })

  it('in halves and back as neighbours are the same rows, however they are read', async () => {
    const cases = heads.chain((sizes) =>
      fc.record({
        sizes: fc.constant(sizes),
        bytes: bytesOf(sizes.heads * 2 * sizes.half * sizes.rowBytes),
        step: fc.integer({ min: 1, max: 9 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ({ sizes, bytes, step }) => {
        const groupRows = 2 * sizes.half
        const halves = reorderRows(rowsOfBytes(bytes, sizes.rowBytes), { groupRows, sourceRow: toHalves(groupRows) })
        const back = reorderRows(halves, { groupRows, sourceRow: toNeighbours(groupRows) })
        expect(await readAll(back, step)).toEqual(bytes)
      }),
    )
  })

  it('sorted into groups hold every block, group by group', async () => {
    const cases = fc.record({
      groups: fc.integer({ min: 1, max: 3 }),
      queries: fc.integer({ min: 1, max: 3 }),
      dim: fc.integer({ min: 1, max: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ groups, queries, dim }) => {
        const parts = [groups * queries * dim, groups * dim, groups * dim]
        const bytes = Uint8Array.from({ length: parts.reduce((sum, count) => sum + count, 0) }, (_, index) => index)
        const grouped = regroupRows(rowsOfBytes(bytes, 1), { groups, parts })
        // Taken apart again by group, the blocks are whole.
        const size = (queries + 2) * dim
        const within = [0, queries * dim, (queries + 1) * dim, size]
        const block = (part: number): Rows =>
          stackRows(
            Array.from({ length: groups }, (_, group) =>
              sliceRows(grouped, { first: group * size + (within[part] ?? 0), count: (within[part + 1] ?? 0) - (within[part] ?? 0) }),
            ),
          )
        expect(await readAll(stackRows([block(0), block(1), block(2)]), 2)).toEqual(bytes)
      }),
    )
  })

  it('turned twice are themselves, and columns side by side are rows of the turned one', async () => {
    const shape = fc.record({ rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 6 }) })
    const cases = shape.chain((sizes) => fc.record({ sizes: fc.constant(sizes), bytes: bytesOf(sizes.rows * sizes.columns * 2) }))
    await fc.assert(
      fc.asyncProperty(cases, async ({ sizes, bytes }) => {
        const rows = rowsOfBytes(bytes, 2 * sizes.columns)
        expect(await readAll(transposeRows(transposeRows(rows, 'F16'), 'F16'), 2)).toEqual(bytes)
        const columns = Array.from({ length: sizes.columns }, (_, column) =>
          transposeRows(sliceRows(transposeRows(rows, 'F16'), { first: column, count: 1 }), 'F16'),
        )
        expect(await readAll(joinColumns(columns), 3)).toEqual(bytes)
      }),
    )
  })

  it('doubled and halved by adding are the same values', async () => {
    const values = fc.float32Array({ minLength: 1, maxLength: 8, noNaN: true, noDefaultInfinity: true, max: 2 ** 99, min: -(2 ** 99) })
    await fc.assert(
      fc.asyncProperty(values, async (singles) => {
        const rows = rowsOfBytes(new Uint8Array(singles.slice().buffer), 4)
        expect(new Float32Array((await readAll(doubleRows(rows, 'F32'), 3)).buffer)).toEqual(singles.map((value) => value * 2))
        expect(new Float32Array((await readAll(addRows(rows, 'F32', -1), 3)).buffer)).toEqual(singles.map((value) => value - 1))
        expect(addRows(rows, 'I32', 1)).toBe(rows)
      }),
    )
  })
})

interface Sizes {
  readonly layers: number
  readonly heads: number
  readonly groups: number
  readonly headDim: number
  readonly hidden: number
  readonly inner: number
  readonly vocab: number
  readonly prefix: string
}

const sizes: fc.Arbitrary<Sizes> = fc
  .record({
    layers: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 4 }),
    queriesPerKey: fc.integer({ min: 1, max: 4 }),
    headDim: fc.constantFrom(2, 4, 8, 16, 32, 48, 64, 80, 96, 128),
    hidden: fc.integer({ min: 1, max: 4000 }),
    inner: fc.integer({ min: 1, max: 9000 }),
    vocab: fc.integer({ min: 1, max: 200_000 }),
    prefix: fc.constantFrom('model.', '', 'module.model.', '_orig_mod.model.', 'module._orig_mod.'),
  })
  .map(({ queriesPerKey, ...rest }) => ({ ...rest, heads: rest.groups * queriesPerKey }))
  // Which way a square matrix lies does not show.
  .filter(({ inner, hidden }) => inner !== hidden)

function stateDict({ layers, heads, groups, headDim, hidden, inner, vocab, prefix }: Sizes): ReadonlyMap<string, TensorInfo> {
  const entry = (name: string, ...shape: readonly number[]): [string, TensorInfo] => [
    `${prefix}${name}.weight`,
    {
      name: `${prefix}${name}.weight`,
      dtype: 'F32',
      shape,
      file: '/model',
      sizeBytes: 4 * shape.reduce((a, b) => a * b, 1),
      offsetBytes: 0,
    },
  ]
  const layer = (index: number): readonly [string, TensorInfo][] => [
    entry(`layers.${index}.input_layernorm`, hidden),
    entry(`layers.${index}.self_attn.q_proj`, heads * headDim, hidden),
    entry(`layers.${index}.self_attn.k_proj`, groups * headDim, hidden),
    entry(`layers.${index}.self_attn.v_proj`, groups * headDim, hidden),
    entry(`layers.${index}.self_attn.o_proj`, hidden, heads * headDim),
    entry(`layers.${index}.post_attention_layernorm`, hidden),
    entry(`layers.${index}.mlp.gate_proj`, inner, hidden),
    entry(`layers.${index}.mlp.up_proj`, inner, hidden),
    entry(`layers.${index}.mlp.down_proj`, hidden, inner),
  ]
  return new Map([
    entry('embed_tokens', vocab, hidden),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    entry('norm', hidden),
  ])
}

/** The fields that the shapes of a state dict give, with what a person answered. */
function infer(given: Sizes, settings: ConfigEvidence['settings']) {
  const source = recognise({ tensors: stateDict(given), metadata: {} })
  const shapes = source && readShapes(source)
  const [family] = source ? fittingFamilies(source) : []
  if (!source || !shapes || !family) throw new Error('The state dict is not recognised.')
  const tied = { value: true, reason: { code: '', data: {}, text: '' } }
  const facts = { folder: '', find: () => null }
  const { fields } = inferConfig({ family, source, shapes, table: null, facts, tied, settings, tokenizer: null })
  return { family: family.modelType, unmapped: source.unmapped, field: (name: string) => fields.find((each) => each.name === name) }
}

describe('the configuration of a state dict', () => {
  it('has the sizes that its shapes were made from, once the heads are answered', () => {
    fc.assert(
      fc.property(sizes, (given) => {
        const { family, unmapped, field } = infer(given, { num_attention_heads: given.heads })
        expect({ family, unmapped }).toEqual({ family: 'llama', unmapped: [] })
        const expected = {
          vocab_size: given.vocab,
          hidden_size: given.hidden,
          intermediate_size: given.inner,
          num_hidden_layers: given.layers,
          num_key_value_heads: given.groups,
          head_dim: given.headDim,
        }
        for (const [name, value] of Object.entries(expected)) expect({ name, value: field(name)?.value }).toEqual({ name, value })
      }),
    )
  })

  it('asks for heads that nothing says, with a guess that divides the projections', () => {
    fc.assert(
      fc.property(sizes, (given) => {
        const { field } = infer(given, {})
        const [heads, groups, dim] = ['num_attention_heads', 'num_key_value_heads', 'head_dim'].map((name) => Number(field(name)?.value))
        expect(field('num_attention_heads')?.origin).toBe('guess')
        expect((heads ?? 0) * (dim ?? 0)).toBe(given.heads * given.headDim)
        expect((groups ?? 0) * (dim ?? 0)).toBe(given.groups * given.headDim)
      }),
    )
  })
})

describe('prefixes of wrappers', () => {
  it('go away once, and nothing more does', () => {
    const part = fc.constantFrom('model', 'layers', '0', 'weight', 'module', '_orig_mod', 'a')
    const names = fc.uniqueArray(
      fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.')),
      { minLength: 1, maxLength: 6 },
    )
    const wrapped = fc.record({ names, prefix: fc.constantFrom('', 'module.', '_orig_mod.', 'module._orig_mod.', '_orig_mod.module.') })
    fc.assert(
      fc.property(wrapped, ({ names: inner, prefix }) => {
        const given = inner.map((name) => `${prefix}${name}`)
        const once = [...resultNames(given, 'wrappers').values()]
        expect(once).toHaveLength(given.length)
        expect([...resultNames(once, 'wrappers').values()]).toEqual(once)
        given.forEach((name, index) => expect(name.endsWith(once[index] ?? '?')).toBe(true))
      }),
    )
  })
})
