// HDF5 files written by Keras 3.15 and h5py, against the tensors h5py read back.
import { describe, expect, test } from 'vitest'
import { openHdf5 } from '../../../../engine/checkpoint/hdf5/hdf5'
import { expectedDigests, tensorDigests } from '../../../support/expected-tensors'
import { hasReference, referencePath } from '../../../support/reference'

describe.skipIf(!hasReference)('HDF5 reference files', () => {
  test.for(['keras.h5', 'plain.h5'])('%s equals what h5py reads', async (name) => {
    using checkpoint = await openHdf5(referencePath('checkpoints', name))
    expect(await tensorDigests(checkpoint)).toEqual(await expectedDigests(referencePath('checkpoints', `${name}.expected.safetensors`)))
  })

  test('texts of groups become metadata', async () => {
    using checkpoint = await openHdf5(referencePath('checkpoints', 'keras.h5'))
    expect(checkpoint.metadata).toMatchObject({ backend: 'tensorflow', keras_version: '3.15.1', 'model_weights/backend': 'tensorflow' })
    expect(checkpoint.metadata['model_config']).toMatch(/^\{"class_name": "Sequential"/)
    expect(checkpoint.metadata['model_weights/d1/weight_names']).toBe('["sequential/d1/kernel","sequential/d1/bias"]')
  })
})
