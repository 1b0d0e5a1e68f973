// GPT-OSS experts as they are published: [experts, outputs, blocks, 16] bytes of E2M1 pairs and a power of two for each block of 32. Follows Transformers 5.18 (integrations/mxfp4.py).
import { evenGroups, planBlocks } from '../../tensor/packed/grouped-rows'
import { doubledFourBitFloats, halvedPowersOfTwo, MIDDLE } from './four-bit-floats'
import { badShape, requireShape, type PackedMatrix, type PartFinder } from './packed-matrix'

const BLOCK_VALUES = 32
const BLOCK_BYTES = 16

/** Finds the stacked experts. They lie [experts, outputs, inputs], the other way round than the family's own tensors. */
export function findMxfp4(parts: PartFinder): readonly PackedMatrix[] {
  const ending = '_blocks'
  return parts.names
    .filter((name) => name.endsWith(ending) && parts.has(`${name.slice(0, -ending.length)}_scales`))
    .map((name): PackedMatrix => {
      const blocks = parts.part(name, ['U8'])
      const scales = parts.part(`${name.slice(0, -ending.length)}_scales`, ['U8'])
      const [experts = 0, outputs = 0, groups = 0, bytes = 0] = blocks.shape
      if (blocks.shape.length !== 4 || bytes !== BLOCK_BYTES || experts * outputs * groups < 1)
        throw badShape(blocks, `[experts, outputs, blocks, ${BLOCK_BYTES}]`)
      requireShape(scales, [experts, outputs, groups])
      const columns = groups * BLOCK_VALUES
      const groupOf = evenGroups(columns, BLOCK_VALUES)
      const plan = planBlocks(groupOf)
      const rowBytes = groups * BLOCK_BYTES
      return {
        name: name.slice(0, -ending.length),
        shape: [experts, outputs, columns],
        swapped: true,
        parts: [blocks.name, scales.name],
        content: {
          kind: 'codes',
          groupOf,
          blocks: plan && { plan, format: { bits: 8, blockSize: plan.blockSize, symmetric: true } },
          decode: async (reader, range) => ({
            rows: range.rows,
            columns,
            groups,
            codes: doubledFourBitFloats(await reader.range(blocks.name, range.firstRow * rowBytes, range.rows * rowBytes)),
            scales: halvedPowersOfTwo(await reader.range(scales.name, range.firstRow * groups, range.rows * groups)),
            zeroPoints: new Uint8Array(range.rows * groups).fill(MIDDLE),
          }),
        },
      }
    })
}
