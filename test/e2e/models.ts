// Model folders the suites make: the built-in model with its end of turn taken away, and broken ones.
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './hosts/app-process'

const guide = join(root, 'resources/guide')

function editJson(file: string, edit: (json: Record<string, unknown>) => void): void {
  const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  edit(json)
  writeFileSync(file, JSON.stringify(json))
}

function copyGuide(folder: string): void {
  cpSync(guide, folder, { recursive: true, filter: (path) => !path.includes('training') })
}

/** A model that goes on until its context is full: no token ends its turn. */
export function makeEndlessModel(folder: string): void {
  copyGuide(folder)
  // The byte piece of 0xFF is in no text, so it is never the likeliest token.
  const neverId = 3 + 0xff
  for (const name of ['config.json', 'generation_config.json']) {
    editJson(join(folder, name), (json) => {
      json['eos_token_id'] = neverId
      delete json['max_new_tokens']
    })
  }
  editJson(join(folder, 'tokenizer_config.json'), (json) => (json['eos_token'] = '<0xFF>'))
  editJson(join(folder, 'special_tokens_map.json'), (json) => (json['eos_token'] = '<0xFF>'))
}

/** Broken model folders by the code that opening them gives. */
export const brokenModels: Readonly<Record<string, (folder: string) => void>> = {
  'config/missing': (folder) => {
    copyGuide(folder)
    rmSync(join(folder, 'config.json'))
  },
  'config/unknown-model-type': (folder) => {
    copyGuide(folder)
    editJson(join(folder, 'config.json'), (json) => {
      json['model_type'] = 'lightsaber'
      json['architectures'] = ['LightsaberForCausalLM']
    })
  },
  'checkpoint/missing-shard': (folder) => {
    copyGuide(folder)
    rmSync(join(folder, 'model-00002-of-00002.safetensors'))
  },
  'checkpoint/truncated-file': (folder) => {
    copyGuide(folder)
    truncateSync(join(folder, 'model-00002-of-00002.safetensors'), 100_000)
  },
}
