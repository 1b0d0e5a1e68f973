// The engine's state in a few words.
import type { ContractError, EngineState } from '../../preload/contract'
import { t } from './i18n/texts'

/** Why a model did not load whose tokenizer is Python code that nobody has agreed to yet. */
export const NEEDS_CONSENT = 'tokenizer/custom-code-needs-consent'

/** Stages that have a name in the catalogue. */
const STAGES = ['start', 'weights', 'graph', 'prepare', 'session'] as const

/** What the chip says: the model's name when ready, otherwise what goes on. */
export function describeEngine(engine: EngineState, nameOf: (modelId: string) => string): string {
  switch (engine.status) {
    case 'starting':
      return t('engine.starting')
    case 'idle':
      return t('engine.idle')
    case 'loading':
      return t('engine.loading', { model: nameOf(engine.modelId) })
    case 'ready':
      return engine.model.name
    case 'failed':
      return t(engine.error.code === NEEDS_CONSENT ? 'engine.asksConsent' : 'engine.failed', { model: nameOf(engine.modelId) })
    case 'crashed':
      return t('engine.crashed')
  }
}

/** How the loaded model's weights are held; null while there is none, and for models that bring their own way. */
export function describeWeightFormat(engine: EngineState): string | null {
  if (engine.status !== 'ready' || engine.model.weightFormat === null) return null
  return t('engine.weightFormat', { format: engine.model.weightFormat })
}

/** The name of a loading stage; a stage the catalogue does not know is shown as the engine calls it. */
export function describeStage(stage: string): string {
  const known = STAGES.find((each) => each === stage)
  return known === undefined ? stage : t(`engine.stage.${known}`)
}

/** The class of that tokenizer, as the failure names it. */
export function tokenizerClass({ details }: ContractError): string {
  const { className } = details
  return typeof className === 'string' ? className : ''
}
