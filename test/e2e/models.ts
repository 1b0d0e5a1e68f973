// Model folders the suites make: the built-in model with its end of turn taken away, and broken ones with what the window must say about them.
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rawSafetensors } from '../support/safetensors-writer'
import { root } from './hosts/app-process'

const guide = join(root, 'resources/guide')
const INDEX = 'model.safetensors.index.json'
const SECOND_SHARD = 'model-00002-of-00002.safetensors'

interface HeaderEntry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}

interface Shard {
  readonly tensors: Record<string, HeaderEntry>
  data: Uint8Array
}

function editJson(file: string, edit: (json: Record<string, unknown>) => void): void {
  const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  edit(json)
  writeFileSync(file, JSON.stringify(json))
}

function copyGuide(folder: string): void {
  cpSync(guide, folder, { recursive: true, filter: (path) => !path.includes('training') })
}

/** Rewrites header and data of the second shard. */
function editShard(folder: string, edit: (shard: Shard) => void): void {
  const path = join(folder, SECOND_SHARD)
  const file = new Uint8Array(readFileSync(path))
  const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes))) as Record<string, HeaderEntry>
  const { __metadata__: metadata, ...tensors } = header
  const shard: Shard = { tensors, data: file.subarray(8 + headerBytes) }
  edit(shard)
  writeFileSync(path, rawSafetensors(JSON.stringify({ ...(metadata && { __metadata__: metadata }), ...shard.tensors }), shard.data))
}

/** The tensors of a shard in the order of their data. */
function inFileOrder(shard: Shard): readonly (readonly [string, HeaderEntry])[] {
  return Object.entries(shard.tensors).sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0])
}

/** A model that goes on until its context is full: no token ends its turn. */
export function makeEndlessModel(folder: string, options: { readonly contextLength?: number } = {}): void {
  copyGuide(folder)
  // The byte piece of 0xFF is in no text, so it is never the likeliest token.
  const neverId = 3 + 0xff
  for (const name of ['config.json', 'generation_config.json']) {
    editJson(join(folder, name), (json) => {
      json['eos_token_id'] = neverId
      delete json['max_new_tokens']
    })
  }
  const { contextLength } = options
  if (contextLength !== undefined) editJson(join(folder, 'config.json'), (json) => (json['max_position_embeddings'] = contextLength))
  editJson(join(folder, 'tokenizer_config.json'), (json) => (json['eos_token'] = '<0xFF>'))
  editJson(join(folder, 'special_tokens_map.json'), (json) => (json['eos_token'] = '<0xFF>'))
}

/** A model whose chat template counts for hours. */
export function makeEndlessTemplate(folder: string): void {
  copyGuide(folder)
  const template = '{% for i in range(10**5) %}{% for j in range(10**5) %}{{ i + j }}{% endfor %}{% endfor %}'
  rmSync(join(folder, 'chat_template.jinja'), { force: true })
  editJson(join(folder, 'tokenizer_config.json'), (json) => (json['chat_template'] = template))
}

/** A model folder with one fault. */
export interface BrokenModel {
  readonly fault: string
  readonly code: string
  /** What its own sentence says beside the path. */
  readonly sentence: RegExp
  /** Whether looking at the folder tells, or only loading the model. */
  readonly found: 'opening' | 'loading'
  /** How the list of models calls it; null where the folder is not taken for a model at all. */
  readonly listedAs: 'Incomplete' | 'Not supported' | 'Damaged' | 'Ready' | null
  readonly make: (folder: string) => void
}

const faults: readonly BrokenModel[] = [
  {
    fault: 'no-config',
    code: 'config/missing',
    sentence: /There is no config\.json in .*no-config\./,
    found: 'opening',
    listedAs: null,
    make: (folder) => rmSync(join(folder, 'config.json')),
  },
  {
    fault: 'unknown-family',
    code: 'config/unknown-model-type',
    sentence: /The model family "lightsaber" is not supported yet\. "weightroom families" lists those that are \(\d{2,3}\)\./,
    found: 'opening',
    listedAs: 'Not supported',
    make: (folder) =>
      editJson(join(folder, 'config.json'), (json) => {
        json['model_type'] = 'lightsaber'
        json['architectures'] = ['LightsaberForCausalLM']
      }),
  },
  {
    fault: 'missing-shard',
    code: 'checkpoint/missing-shard',
    sentence: /The index names the shard model-00002-of-00002\.safetensors, which is not in .*missing-shard\./,
    found: 'opening',
    listedAs: 'Incomplete',
    make: (folder) => rmSync(join(folder, SECOND_SHARD)),
  },
  {
    fault: 'truncated-shard',
    code: 'checkpoint/truncated-file',
    sentence: /model-00002-of-00002\.safetensors is cut off: tensor model\.\S+ ends at byte \d{6,}, but the file has 100000 bytes\./,
    found: 'opening',
    listedAs: 'Incomplete',
    make: (folder) => truncateSync(join(folder, SECOND_SHARD), 100_000),
  },
  {
    fault: 'header-beyond-file',
    code: 'checkpoint/header-beyond-file',
    sentence: /model-00002-of-00002\.safetensors announces a header of 90000000 bytes, but the whole file has \d{6,}\./,
    found: 'opening',
    listedAs: 'Incomplete',
    make: (folder) => {
      const path = join(folder, SECOND_SHARD)
      const file = readFileSync(path)
      file.writeBigUInt64LE(90_000_000n, 0)
      writeFileSync(path, file)
    },
  },
  {
    fault: 'overlapping-offsets',
    code: 'checkpoint/overlapping-tensors',
    sentence:
      /Tensor model\.\S+ of .*model-00002-of-00002\.safetensors starts at data byte \d+, inside tensor model\.\S+, which ends at \d+\./,
    found: 'opening',
    listedAs: 'Damaged',
    make: (folder) =>
      editShard(folder, (shard) => {
        const second = inFileOrder(shard)[1]?.[1]
        if (second === undefined) throw new Error('The shard holds one tensor only.')
        const [start, end] = second.data_offsets
        second.data_offsets = [start - 2, end - 2]
      }),
  },
  {
    fault: 'missing-weight',
    code: 'graph/weight-missing',
    sentence: /The checkpoint has no tensor model\.norm\.weight, which a Llama decoder needs\./,
    found: 'loading',
    listedAs: 'Ready',
    make: (folder) => {
      removeTensor(folder, 'model.norm.weight')
    },
  },
  {
    fault: 'wrong-shape',
    code: 'graph/weight-shape',
    sentence: /The tensor model\.layers\.4\.self_attn\.k_proj\.weight has the shape \[256, 128\], but config\.json asks for \[128, 256\]\./,
    found: 'loading',
    listedAs: 'Ready',
    make: (folder) =>
      editShard(folder, ({ tensors }) => {
        tensors['model.layers.4.self_attn.k_proj.weight']?.shape.reverse()
      }),
  },
  {
    fault: 'corrupt-tokenizer',
    code: 'tokenizer/corrupt-model',
    sentence: /tokenizer\.model is not a usable SentencePiece model: \S.+\./,
    found: 'loading',
    listedAs: 'Ready',
    make: (folder) => truncateSync(join(folder, 'tokenizer.model'), 20_000),
  },
]

/** The built-in model with one fault each. */
export const brokenModels: readonly BrokenModel[] = faults.map((model) => ({
  ...model,
  make: (folder) => {
    copyGuide(folder)
    model.make(folder)
  },
}))

/** Takes a tensor out of the second shard and of the index, so that the files agree with each other. */
function removeTensor(folder: string, name: string): void {
  editShard(folder, (shard) => {
    const leaving = shard.tensors[name]
    if (leaving === undefined) throw new Error(`The shard holds no ${name}.`)
    const [start, end] = leaving.data_offsets
    shard.data = Buffer.concat([shard.data.subarray(0, start), shard.data.subarray(end)])
    for (const { data_offsets: offsets } of Object.values(shard.tensors)) {
      if (offsets[0] >= end) for (const side of [0, 1] as const) offsets[side] -= end - start
    }
    Reflect.deleteProperty(shard.tensors, name)
  })
  editJson(join(folder, INDEX), (json) => {
    Reflect.deleteProperty(json['weight_map'] as Record<string, string>, name)
  })
}
