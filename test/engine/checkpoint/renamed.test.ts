// Parts of stacked tensors: experts in GGUF blocks keep the codes that they are stored with.
import { expect, it } from 'vitest'
import { openGguf } from '../../../engine/checkpoint/gguf/open-gguf'
import { renameCheckpoint } from '../../../engine/checkpoint/renamed'
import { dequantizeRows } from '../../../engine/tensor/nbits/quantize'
import { floatsOfBytes } from '../../support/compare-logits'
import { temporaryFolder } from '../../support/temporary-folder'
import { maxDifference } from '../runtime/golden-model'
import { ggufFile } from './gguf/gguf-writer'

const [experts, rows, columns] = [3, 8, 64] as const

it.each([
  { type: 'Q4_0', typeNumber: 2, blockBytes: 18, bits: 4 },
  { type: 'Q8_0', typeNumber: 8, blockBytes: 34, bits: 8 },
] as const)('gives each expert of a $type stack its own codes', async ({ typeNumber, blockBytes, bits }) => {
  using folder = temporaryFolder()
  const blocks = (experts * rows * columns) / 32
  const bytes = Uint8Array.from({ length: blocks * blockBytes }, (_, index) => (Math.imul(index + 1, 2654435761) >>> 11) & 255)
  // Scales between 1 and 2.
  for (let block = 0; block < blocks; block++) new DataView(bytes.buffer).setUint16(block * blockBytes, 0x3c00 + block, true)
  const file = folder.write(
    'stack.gguf',
    ggufFile({
      metadata: [['general.architecture', { type: 'string', value: 'test' }]],
      tensors: [{ name: 'stack', typeNumber, dimensions: [columns, rows, experts], bytes }],
    }),
  )
  using opened = await openGguf(file, {})
  const names = new Map(
    Array.from({ length: experts }, (_, index) => [`expert.${index}`, { source: 'stack', part: { index, count: experts } }]),
  )
  const view = renameCheckpoint(opened, names)
  const whole = floatsOfBytes(await opened.read('stack'))
  for (let index = 0; index < experts; index++) {
    const name = `expert.${index}`
    const format = { bits, blockSize: 32, symmetric: true }
    expect(view.tensors.get(name)).toMatchObject({ shape: [rows, columns], quantized: format })
    const expected = whole.subarray(index * rows * columns, (index + 1) * rows * columns)
    expect(maxDifference(floatsOfBytes(await view.read(name)), expected)).toBe(0)
    // Rows from the middle on, as preparing in parts asks for them.
    const matrix = await view.readQuantized?.({ name, firstRow: 3, rows: 5 })
    if (matrix === undefined) throw new Error('there are no codes')
    expect(maxDifference(dequantizeRows(matrix, { shape: { rows: 5, columns }, format }), expected.subarray(3 * columns))).toBe(0)
  }
})
