// TensorFlow checkpoints written by TensorFlow 2.21, against the tensors it read back.
import { describe, expect, test } from 'vitest'
import { openTensorflow } from '../../../../engine/checkpoint/tensorflow/tensorflow'
import { expectedDigests, tensorDigests } from '../../../support/expected-tensors'
import { hasReference, referencePath } from '../../../support/reference'

const cases = [
  { name: 'a TF2 object checkpoint by its index', path: 'tf2.ckpt.index', expected: 'tf2.ckpt.index' },
  { name: 'a TF2 object checkpoint by its data file', path: 'tf2.ckpt.data-00000-of-00001', expected: 'tf2.ckpt.index' },
  { name: 'a TF1 index', path: 'tf1/MyModel.index', expected: 'tf1_MyModel.index' },
  { name: 'a TF1 Saver directory', path: 'tf1', expected: 'tf1_MyModel.index' },
  { name: 'the checkpoint file of a Saver directory', path: 'tf1/checkpoint', expected: 'tf1_MyModel.index' },
  { name: 'a SavedModel directory', path: 'saved_model', expected: 'saved_model' },
  { name: 'saved_model.pb', path: 'saved_model/saved_model.pb', expected: 'saved_model' },
  { name: 'the variables of a SavedModel', path: 'saved_model/variables/variables.index', expected: 'saved_model' },
]

describe.skipIf(!hasReference)('TensorFlow reference files', () => {
  test.for(cases)('$name equals what TensorFlow reads', async ({ path, expected }) => {
    using checkpoint = await openTensorflow(referencePath('checkpoints', path))
    const digests = await expectedDigests(referencePath('checkpoints', `${expected}.expected.safetensors`))
    // The index stores an empty shape; NumPy's ascontiguousarray, through which the reference went, makes one dimension of none.
    const scalar = digests['global_step']?.replace('I64 [1]', 'I64 []')
    expect(await tensorDigests(checkpoint)).toEqual({ ...digests, ...(scalar !== undefined && { global_step: scalar }) })
  })

  test('the object graph is left out with a note', async () => {
    using checkpoint = await openTensorflow(referencePath('checkpoints', 'tf2.ckpt.index'))
    expect(checkpoint.notes.map(({ text }) => text)).toEqual([expect.stringContaining('_CHECKPOINTABLE_OBJECT_GRAPH')])
  })
})
