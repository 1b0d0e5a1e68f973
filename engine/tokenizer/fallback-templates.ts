// Chat templates for models that bring none. Which one fits is read off the tokenizer: a family's special tokens name it.
import type { Tokenizer } from './types'

/** A family's template. `stopStrings` end a reply where no special token does. */
export interface FallbackTemplate {
  readonly family: string
  readonly text: string
  readonly stopStrings: readonly string[]
}

const CHATML: FallbackTemplate = {
  family: 'ChatML',
  stopStrings: [],
  text: `{%- for message in messages -%}
{{- '<|im_start|>' ~ message['role'] ~ '\\n' ~ message['content'] ~ '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`,
}

const LLAMA_3: FallbackTemplate = {
  family: 'Llama 3',
  stopStrings: [],
  text: `{{- bos_token -}}
{%- for message in messages -%}
{{- '<|start_header_id|>' ~ message['role'] ~ '<|end_header_id|>\\n\\n' ~ message['content'] | trim ~ '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}{%- endif -%}`,
}

const LLAMA_2: FallbackTemplate = {
  family: 'Llama 2',
  stopStrings: [],
  text: `{%- set state = namespace(system='') -%}
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}{%- set state.system = '<<SYS>>\\n' ~ message['content'] ~ '\\n<</SYS>>\\n\\n' -%}
{%- elif message['role'] == 'user' -%}{{- bos_token ~ '[INST] ' ~ state.system ~ message['content'] | trim ~ ' [/INST]' -}}{%- set state.system = '' -%}
{%- elif message['role'] == 'assistant' -%}{{- ' ' ~ message['content'] | trim ~ ' ' ~ eos_token -}}
{%- else -%}{{- raise_exception('a message of the role ' ~ message['role'] ~ ' has no place in the Llama 2 format') -}}
{%- endif -%}
{%- endfor -%}`,
}

const PLAIN: FallbackTemplate = {
  family: 'plain',
  stopStrings: ['\nUser:'],
  text: `{{- bos_token -}}
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}{{- message['content'] ~ '\\n\\n' -}}
{%- elif message['role'] == 'user' -%}{{- 'User: ' ~ message['content'] ~ '\\n' -}}
{%- else -%}{{- 'Assistant: ' ~ message['content'] ~ '\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}`,
}

/** Picks the template for a tokenizer whose model has none. */
export function fallbackTemplate(tokenizer: Tokenizer): FallbackTemplate {
  if (isOneToken(tokenizer, '<|im_start|>') && isOneToken(tokenizer, '<|im_end|>')) return CHATML
  if (isOneToken(tokenizer, '<|start_header_id|>') && isOneToken(tokenizer, '<|eot_id|>')) return LLAMA_3
  // The tokens of the first Llama tokenizers; their class came with this template until the models brought their own.
  const { bos_token: bos, eos_token: eos } = tokenizer.specialTokens
  return bos === '<s>' && eos === '</s>' && tokenizer.source.kind === 'sentencepiece-bpe' ? LLAMA_2 : PLAIN
}

function isOneToken(tokenizer: Tokenizer, text: string): boolean {
  const ids = tokenizer.encode(text, { addSpecial: false, parseSpecial: true })
  return ids.length === 1 && ids[0] !== undefined && tokenizer.piece(ids[0]) === text
}
