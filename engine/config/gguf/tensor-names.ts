// Names of GGUF tensors -> the names of a family's row. Follows gguf-py (constants.py, TENSOR_NAMES) 0.19.
import type { RenamedTensor } from '../../checkpoint/renamed'
import type { TensorInfo } from '../../checkpoint/types'
import type { DecoderConfig } from '../decoder-config'
import type { TensorNames } from '../families/types'

type RoleName = Exclude<keyof TensorNames, 'layer' | 'latent' | 'convolution' | 'experts'>

/** Tensors outside of the layers. */
const MODEL_ROLES: ReadonlyMap<string, RoleName> = new Map([
  ['token_embd', 'embedding'],
  ['token_embd_norm', 'embeddingNorm'],
  ['position_embd', 'positions'],
  ['output_norm', 'finalNorm'],
  ['output', 'head'],
])

/** Tensors of layer N, behind `blk.N.`. */
const LAYER_ROLES: ReadonlyMap<string, RoleName> = new Map([
  ['attn_norm', 'beforeAttention'],
  ['attn_q', 'query'],
  ['attn_k', 'key'],
  ['attn_v', 'value'],
  ['attn_qkv', 'queryKeyValue'],
  ['attn_output', 'attentionOutput'],
  ['attn_q_norm', 'queryNorm'],
  ['attn_k_norm', 'keyNorm'],
  ['post_attention_norm', 'afterAttention'],
  ['ffn_norm', 'beforeFeedForward'],
  ['post_ffw_norm', 'afterFeedForward'],
  ['ffn_gate', 'gate'],
  ['ffn_up', 'up'],
  ['ffn_down', 'down'],
])

/** Falcon's two norms: the one that all have is the feed-forward's where there is another. */
const TWO_NORM_ROLES: ReadonlyMap<string, RoleName> = new Map([
  ['attn_norm', 'beforeFeedForward'],
  ['attn_norm_2', 'beforeAttention'],
])

/** Stacks of experts, [count, out, in]. */
const EXPERT_ROLES: ReadonlyMap<string, 'gate' | 'up' | 'down'> = new Map([
  ['ffn_gate_exps', 'gate'],
  ['ffn_up_exps', 'up'],
  ['ffn_down_exps', 'down'],
])

/** Tensors that say what the configuration says: rotary frequencies and their factors. */
const CONFIGURATION_TENSORS = /^(rope_freqs|rope_factors_(long|short)|blk\.\d+\.(attn_rot_embd|rope_freqs))\.weight$/

const TENSOR_NAME = /^(?:blk\.(\d{1,5})\.)?([a-z_0-9]+)\.(weight|bias)$/

interface Naming {
  readonly config: DecoderConfig
  readonly hasTwoNorms: boolean
}

function roleName(role: RoleName | undefined, { config }: Naming): string | null | undefined {
  if (role === undefined) return undefined
  return role === 'up' && config.feedForward.joined ? config.names.gateUp : config.names[role]
}

function layerNames(
  place: { readonly folder: string; readonly part: string; readonly kind: string; readonly source: string },
  info: TensorInfo,
  naming: Naming,
): readonly (readonly [string, RenamedTensor])[] {
  const { folder, part, kind, source } = place
  const { experts } = naming.config.names
  const stack = EXPERT_ROLES.get(part)
  const expertName = stack === undefined ? null : experts?.[stack]
  const count = info.shape[0] ?? 0
  if (typeof expertName === 'string' && info.shape.length === 3)
    return Array.from({ length: count }, (_, index) => [
      `${folder}.${expertName.replace('{e}', String(index))}.${kind}`,
      { source, part: { index, count } },
    ])
  if (part === 'ffn_gate_inp' && experts !== undefined) return [[`${folder}.${experts.router}.${kind}`, { source }]]
  const role = (naming.hasTwoNorms ? TWO_NORM_ROLES.get(part) : undefined) ?? LAYER_ROLES.get(part)
  const name = roleName(role, naming)
  return typeof name === 'string' ? [[`${folder}.${name}.${kind}`, { source }]] : []
}

/**
 * The names that the family of `config` gives to the tensors of a GGUF file, experts each on their own. Tensors without a place keep their
 * name, so that they are reported; those that belong to the configuration are left out.
 */
export function ggufTensorNames(tensors: ReadonlyMap<string, TensorInfo>, config: DecoderConfig): ReadonlyMap<string, RenamedTensor> {
  const naming: Naming = { config, hasTwoNorms: tensors.has('blk.0.attn_norm_2.weight') }
  const prefix = config.prefixes[0] ?? ''
  const renamed = new Map<string, RenamedTensor>()
  for (const [source, info] of tensors) {
    if (CONFIGURATION_TENSORS.test(source)) continue
    const [, layer, part = '', kind = ''] = TENSOR_NAME.exec(source) ?? []
    let names: readonly (readonly [string, RenamedTensor])[] = []
    if (layer === undefined) {
      const role = MODEL_ROLES.get(part)
      const name = roleName(role, naming)
      if (typeof name === 'string') names = [[`${role === 'head' ? '' : prefix}${name}.${kind}`, { source }]]
    } else names = layerNames({ folder: prefix + config.names.layer.replace('{i}', layer), part, kind, source }, info, naming)
    for (const [name, tensor] of names.length > 0 ? names : [[source, { source }] as const]) renamed.set(name, tensor)
  }
  return renamed
}
