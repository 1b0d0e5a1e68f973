// Why a message cannot be sent now. Typing is always possible; only sending waits.
import type { ContextUse, EngineState } from '../../../preload/contract'
import { t } from '../i18n/texts'
import { isFull } from './context-fill'

/** The reason, as a key of the catalogue, or null where nothing is in the way. */
export type ComposerBlock =
  | 'composer.offline'
  | 'composer.starting'
  | 'composer.noModel'
  | 'composer.loading'
  | 'composer.failed'
  | 'composer.crashed'
  | 'composer.contextFull'
  | null

/** Decides from the connection, the engine and the context, in this order. */
export function composerBlock(state: {
  readonly connected: boolean
  readonly engine: EngineState
  readonly use: ContextUse | null
}): ComposerBlock {
  if (!state.connected) return 'composer.offline'
  switch (state.engine.status) {
    case 'starting':
      return 'composer.starting'
    case 'idle':
      return 'composer.noModel'
    case 'loading':
      return 'composer.loading'
    case 'failed':
      return 'composer.failed'
    case 'crashed':
      return 'composer.crashed'
    case 'ready':
      return isFull(state.use) ? 'composer.contextFull' : null
  }
}

/** The reason as a sentence; `loadingModel` names the model that is being loaded, `use` says what the context would have to hold. */
export function describeBlock(
  block: ComposerBlock,
  facts: { readonly loadingModel: string; readonly use: ContextUse | null },
): string | null {
  if (block === null) return null
  if (block === 'composer.loading') return t(block, { model: facts.loadingModel })
  if (block === 'composer.contextFull') return describeFull(facts.use)
  return t(block)
}

function describeFull(use: ContextUse | null): string | null {
  // One place must be left for the reply.
  return use === null ? null : t('composer.contextFull', { needed: use.usedTokens + 1, total: use.contextLength })
}
