import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OutputTensor } from '../../../engine/checkpoint/writers/file-layout'
import { isShardName, shardIndexText, splitIntoShards } from '../../../engine/checkpoint/writers/shards'

const naming = { stem: 'model', extension: '.safetensors' }

function tensors(sizes: readonly number[]): readonly OutputTensor[] {
  return sizes.map((sizeBytes, index) => ({ name: `t${index}`, aliases: [], dtype: 'U8', shape: [sizeBytes], sizeBytes }))
}

const sizesAndLimit = fc.tuple(
  fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 60 }),
  fc.integer({ min: 1, max: 1500 }),
)

describe('sharding', () => {
  it('puts every tensor into exactly one shard, and no shard is empty', () => {
    fc.assert(
      fc.property(sizesAndLimit, ([sizes, maxShardBytes]) => {
        const all = tensors(sizes)
        const shards = splitIntoShards(all, { maxShardBytes, naming })
        expect(shards.every((shard) => shard.tensors.length > 0)).toBe(true)
        expect(shards.flatMap((shard) => shard.tensors.map(({ name }) => name)).sort()).toEqual(all.map(({ name }) => name).sort())
        expect(new Set(shards.map(({ file }) => file)).size).toBe(shards.length)
      }),
    )
  })

  it('keeps within the limit unless one tensor alone exceeds it', () => {
    fc.assert(
      fc.property(sizesAndLimit, ([sizes, maxShardBytes]) => {
        for (const shard of splitIntoShards(tensors(sizes), { maxShardBytes, naming })) {
          const totalBytes = shard.tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
          if (totalBytes > maxShardBytes) expect(shard.tensors).toHaveLength(1)
        }
      }),
    )
  })

  it('names an only file without a number', () => {
    expect(splitIntoShards(tensors([3, 4]), { maxShardBytes: 7, naming }).map(({ file }) => file)).toEqual(['model.safetensors'])
    expect(splitIntoShards(tensors([3, 4]), { maxShardBytes: 6, naming }).map(({ file }) => file)).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ])
  })

  it('writes an index that names the shard of every tensor and of its aliases, and counts shared bytes once', () => {
    const shards = splitIntoShards(
      [
        { name: 'b', aliases: ['head'], dtype: 'U8', shape: [4], sizeBytes: 4 },
        { name: '__proto__', aliases: [], dtype: 'U8', shape: [4], sizeBytes: 4 },
        { name: '0', aliases: [], dtype: 'U8', shape: [2], sizeBytes: 2 },
      ],
      { maxShardBytes: 4, naming },
    )
    const text = shardIndexText(shards, { parameters: 10 })
    const index = JSON.parse(text) as { metadata: unknown; weight_map: Record<string, string> }
    expect(index.metadata).toEqual({ total_parameters: 10, total_size: 10 })
    expect(Object.entries(index.weight_map).sort()).toEqual([
      ['0', 'model-00003-of-00003.safetensors'],
      ['__proto__', 'model-00002-of-00003.safetensors'],
      ['b', 'model-00001-of-00003.safetensors'],
      ['head', 'model-00001-of-00003.safetensors'],
    ])
  })

  it('knows the names of its own files from others', () => {
    const own = ['model.safetensors', 'model-00001-of-00012.safetensors', 'model.safetensors.index.json']
    const foreign = ['model-1-of-2.safetensors', 'model2.safetensors', 'adapter_model.safetensors', 'model.safetensors.bak', 'model.bin']
    expect(own.filter((name) => isShardName(name, naming))).toEqual(own)
    expect(foreign.filter((name) => isShardName(name, naming))).toEqual([])
  })
})
