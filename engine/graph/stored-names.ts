// Names that a checkpoint has instead of its family's: a state dict saved from memory (`torch.save(model.state_dict())`) bears those of the running
// Transformers 5 model, where `save_pretrained` writes the published ones. Source: Transformers 5.18, conversion_mapping.py.
import type { DecoderConfig } from '../config/decoder-config'

type ExpertNames = NonNullable<DecoderConfig['names']['experts']>

/** Folders of a layer under which running models keep their experts. */
const BLOCKS = ['mlp', 'feed_forward', 'block_sparse_moe'] as const

/** Endings of all names behind their layer's number: which slots the checkpoint fills in any layer. */
function layerSlots(names: Iterable<string>): ReadonlySet<string> {
  const slots = new Set<string>()
  for (const name of names) {
    // The first number is the layer's; a later one an expert's.
    const slot = /^.*?\.\d+\.(.+)$/.exec(name)?.[1]
    if (slot !== undefined) slots.add(slot)
  }
  return slots
}

function firstHeld(slots: ReadonlySet<string>, candidates: readonly string[], ending: string): string | undefined {
  return candidates.find((candidate) => slots.has(candidate + ending))
}

/** The experts' names in a running model: gate and up of all experts in one tensor [E, 2 * I, H], gate first, and `down` in another [E, H, I]. */
function runningExperts(own: ExpertNames, slots: ReadonlySet<string>): ExpertNames | null {
  const gateUp = BLOCKS.map((block) => `${block}.experts.gate_up_proj`).find((name) => slots.has(name))
  if (gateUp === undefined) return null
  const experts = gateUp.slice(0, -'.gate_up_proj'.length)
  const block = experts.slice(0, -'.experts'.length)
  const router = firstHeld(slots, [own.router, `${block}.gate`, `${block}.router`], '.weight') ?? own.router
  const corrections = [
    own.correction ?? '',
    `${block}.e_score_correction_bias`,
    `${block}.gate.e_score_correction_bias`,
    `${block}.gate.moe_statics.e_score_correction_bias`,
  ]
  const correction = own.correction ? (firstHeld(slots, corrections, '') ?? own.correction) : own.correction
  return { ...own, router, gateUp, down: `${experts}.down_proj`, ...(correction === undefined ? {} : { correction }) }
}

/**
 * The configuration with the names that the checkpoint's tensors really have. `tensorNames` are all names of the checkpoint.
 * A family whose own names are there keeps them.
 */
export function withStoredNames(config: DecoderConfig, tensorNames: Iterable<string>): DecoderConfig {
  const all = new Set(tensorNames)
  const isHead = (name: string): boolean => all.has(`${name}.weight`)
  const head = !isHead(config.names.head) && isHead('lm_head') ? 'lm_head' : config.names.head
  const named = head === config.names.head ? config : { ...config, names: { ...config.names, head } }
  const { experts } = config
  const own = config.names.experts
  if (experts === null || own === undefined || experts.storage === 'interleaved') return named
  const slots = layerSlots(all)
  const ownFirst = (own.gateUp ?? `${own.gate ?? ''}.weight`).replace('{e}', '0')
  if (slots.has(ownFirst)) return named
  const running = runningExperts(own, slots)
  if (running === null) return named
  return { ...named, experts: { ...experts, storage: 'stacked' }, names: { ...named.names, experts: running } }
}
