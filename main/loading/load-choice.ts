// How a model is loaded: as was chosen for it, else as the settings say.
import type { LoadChoice, Settings } from '../../preload/contract'

/** The choice that holds for a model now. */
export function loadChoiceOf(settings: Settings, modelId: string): LoadChoice {
  const { weightFormat, contextLength, modelLoads } = settings
  return modelLoads.find((load) => load.modelId === modelId)?.choice ?? { weightFormat, contextLength, formatOverrides: [] }
}

/** The settings' list with this model's choice in place of the one before; null takes it out. */
export function withLoadChoice(loads: Settings['modelLoads'], modelId: string, choice: LoadChoice | null): Settings['modelLoads'] {
  const others = loads.filter((load) => load.modelId !== modelId)
  return choice === null ? others : [...others, { modelId, choice }]
}
