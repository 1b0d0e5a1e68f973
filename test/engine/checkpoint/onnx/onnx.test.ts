// ONNX initializers: inline, typed, packed to 4 bits, and in files whose paths are hostile.
import { linkSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openOnnx } from '../../../../engine/checkpoint/onnx/onnx'
import { field, message, varint } from '../../../support/bundle-writer'
import { temporaryFolder } from '../../../support/temporary-folder'

const float32 = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

interface TensorFields {
  readonly name?: string
  readonly type?: number
  readonly dims?: readonly number[]
}

function tensor({ name = 'w', type = 1, dims = [2] }: TensorFields, ...content: readonly Uint8Array[]): Uint8Array {
  return field(5, message(...dims.map((size) => field(1, size)), field(2, type), field(8, name), ...content))
}

function external(entries: Readonly<Record<string, string>>): Uint8Array {
  return message(...Object.entries(entries).map(([key, value]) => field(13, message(field(1, key), field(2, value)))), field(14, 1))
}

const model = (...tensors: readonly Uint8Array[]): Uint8Array =>
  message(field(1, 10), field(2, 'test'), field(7, message(field(2, 'g'), ...tensors)))
const raw = (bytes: Uint8Array): Uint8Array => field(9, bytes)

async function openPath(path: string) {
  using checkpoint = await openOnnx(path)
  const bytes: Record<string, readonly number[]> = {}
  for (const name of checkpoint.tensors.keys()) bytes[name] = [...(await checkpoint.read(name))]
  return { checkpoint, bytes }
}

async function open(bytes: Uint8Array) {
  using folder = temporaryFolder()
  return await openPath(folder.write('m.onnx', bytes))
}

describe('ONNX initializers', () => {
  test('reads raw data as plain ranges', async () => {
    const { checkpoint, bytes } = await open(model(tensor({}, raw(float32(1, 2)))))
    expect(bytes).toEqual({ w: [...float32(1, 2)] })
    expect(checkpoint.tensors.get('w')).toMatchObject({ dtype: 'F32', shape: [2] })
    expect(checkpoint.tensors.get('w')?.storage).toBeUndefined()
    expect(checkpoint.metadata).toEqual({ producer_name: 'test' })
  })

  test.for([
    ['packed floats', 1, field(4, float32(1, 2)), [...float32(1, 2)]],
    ['negative 8-bit integers', 3, field(5, message(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 1), varint(5))), [255, 5]],
    ['16-bit floats in 32-bit fields', 10, field(5, message(varint(0x3c00), varint(0x4000))), [0, 0x3c, 0, 0x40]],
    ['64-bit integers with tags of their own', 7, message(field(7, 3), field(7, 4)), [3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]],
    ['4-bit integers', 22, raw(Uint8Array.of(0x7f)), [255, 7]],
    ['unsigned 4-bit integers', 21, raw(Uint8Array.of(0x7f)), [15, 7]],
  ] as const)('reads %s', async ([, type, content, expected]) => {
    const { bytes } = await open(model(tensor({ type }, content)))
    expect(bytes).toEqual({ w: expected })
  })

  test('leaves out texts with a note', async () => {
    const { checkpoint } = await open(model(tensor({ type: 8, dims: [1] }, field(6, 'x'))))
    expect(checkpoint.tensors.size).toBe(0)
    expect(checkpoint.notes.map(({ text }) => text)).toEqual(['w left out: type string.'])
  })

  test.for([
    ['raw data of another size', model(tensor({}, raw(float32(1)))), 'checkpoint/size-mismatch'],
    ['no data', model(tensor({})), 'checkpoint/size-mismatch'],
    ['fewer values than the shape has', model(tensor({ type: 7, dims: [1000] }, field(7, 3))), 'checkpoint/size-mismatch'],
    [
      'more values than the shape has',
      model(tensor({ type: 7, dims: [1] }, field(7, message(varint(3), varint(4))))),
      'checkpoint/onnx-malformed',
    ],
    ['a shape beyond all files', model(tensor({ dims: [2 ** 40, 2 ** 40] }, raw(float32(1)))), 'checkpoint/shape-overflow'],
    ['two tensors of one name', model(tensor({}, raw(float32(1, 2))), tensor({}, raw(float32(1, 2)))), 'checkpoint/onnx-malformed'],
    ['65 dimensions', model(tensor({ dims: Array.from({ length: 65 }, () => 1) }, raw(float32(1)))), 'checkpoint/onnx-malformed'],
    ['a name of 5,000 bytes', model(tensor({ name: 'x'.repeat(5000) }, raw(float32(1, 2)))), 'checkpoint/onnx-malformed'],
    ['no graph', message(field(1, 10)), 'checkpoint/onnx-malformed'],
    ['a field longer than the file', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f), 'checkpoint/onnx-malformed'],
  ] as const)('refuses %s', async ([, bytes, code]) => {
    await expect(open(bytes)).rejects.toMatchObject({ code })
  })

  test('refuses the file cut off at every byte inside its graph', async () => {
    const bytes = model(tensor({}, raw(float32(1, 2))))
    for (let size = 9; size < bytes.length; size++) {
      await expect(open(bytes.slice(0, size)), `cut at ${size}`).rejects.toMatchObject({ code: 'checkpoint/onnx-malformed' })
    }
  })
})

describe('external data', () => {
  const weights = float32(9, 1, 2)
  const pointer = (location: string, more: Readonly<Record<string, string>> = {}): Uint8Array =>
    model(tensor({}, external({ location, offset: '4', length: '8', ...more })))

  test('reads a file of the same folder', async () => {
    using folder = temporaryFolder()
    folder.write('m.onnx_data', weights)
    const { checkpoint, bytes } = await openPath(folder.write('m.onnx', pointer('m.onnx_data')))
    expect(bytes).toEqual({ w: [...float32(1, 2)] })
    expect(checkpoint.tensors.get('w')).toMatchObject({ offsetBytes: 4 })
    expect(checkpoint.files).toHaveLength(2)
  })

  test('follows the symlinks of the Hugging Face cache', async () => {
    using folder = temporaryFolder()
    folder.write('blobs/one', pointer('m.onnx_data'))
    folder.write('blobs/two', weights)
    const snapshot = join(folder.path, 'snapshots', 'abc')
    mkdirSync(snapshot, { recursive: true })
    symlinkSync('../../blobs/one', join(snapshot, 'm.onnx'))
    symlinkSync('../../blobs/two', join(snapshot, 'm.onnx_data'))
    expect((await openPath(join(snapshot, 'm.onnx'))).bytes).toEqual({ w: [...float32(1, 2)] })
  })

  test.for(['../w', '..', '/etc/passwd', 'sub/w', 'C:\\w', '..\\w', '', './../w'])('refuses the path "%s"', async (location) => {
    using folder = temporaryFolder()
    folder.write('w', weights)
    folder.write('model/sub/w', weights)
    await expect(openPath(folder.write('model/m.onnx', pointer(location)))).rejects.toMatchObject({ code: 'checkpoint/unsafe-reference' })
  })

  test('refuses a symlink out of the folder', async () => {
    using folder = temporaryFolder()
    folder.write('secret', weights)
    const path = folder.write('model/m.onnx', pointer('w'))
    symlinkSync('../secret', join(folder.path, 'model', 'w'))
    await expect(openPath(path)).rejects.toMatchObject({ code: 'checkpoint/unsafe-reference' })
  })

  test('refuses a file with a second name', async () => {
    using folder = temporaryFolder()
    const secret = folder.write('secret', weights)
    const path = folder.write('model/m.onnx', pointer('w'))
    linkSync(secret, join(folder.path, 'model', 'w'))
    await expect(openPath(path)).rejects.toMatchObject({ code: 'checkpoint/hard-linked-reference' })
  })

  test.for([
    ['a missing file', 'nowhere', {}, 'checkpoint/missing-shard'],
    ['a folder', 'folder', {}, 'bytes/not-a-regular-file'],
    ['a range beyond the file', 'w', { offset: '8' }, 'checkpoint/truncated-file'],
    ['another length than the shape has', 'w', { length: '4' }, 'checkpoint/size-mismatch'],
    ['a negative offset', 'w', { offset: '-4' }, 'checkpoint/onnx-malformed'],
  ] as const)('refuses %s', async ([, location, more, code]) => {
    using folder = temporaryFolder()
    folder.write('w', weights)
    mkdirSync(join(folder.path, 'folder'))
    await expect(openPath(folder.write('m.onnx', pointer(location, more)))).rejects.toMatchObject({ code })
  })
})
