// The question whether a model's own Python tokenizer may run in the sandbox.
import type { ContractError, TokenizerCode } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'
import type { EngineStatus } from './engine-status.svelte'
import type { SettingsState } from './settings.svelte'

/** What the question needs of the rest of the window. */
interface ConsentParts {
  readonly client: Client
  readonly settings: SettingsState
  readonly engine: EngineStatus
  readonly onfailure: (error: ContractError) => void
}

/** Asks, remembers the answer in the settings, and loads the model again. */
export class ConsentState {
  #asked = $state.raw<{ readonly modelId: string; readonly code: TokenizerCode } | null>(null)
  readonly #parts: ConsentParts

  constructor(parts: ConsentParts) {
    this.#parts = parts
  }

  /** What is being asked about, or null. */
  get asked(): { readonly modelId: string; readonly code: TokenizerCode } | null {
    return this.#asked
  }

  async ask(modelId: string): Promise<void> {
    try {
      const code = await this.#parts.client.call('engine.tokenizerCode', { modelId })
      if (code !== null) this.#asked = { modelId, code }
    } catch (thrown) {
      this.#parts.onfailure(toContractError(thrown))
    }
  }

  cancel(): void {
    this.#asked = null
  }

  /** Agrees to exactly the code that was shown. */
  async agree(): Promise<void> {
    const asked = this.#asked
    const { settings, engine, onfailure } = this.#parts
    this.#asked = null
    if (asked === null || settings.value === null) return
    const { folder, className, hash } = asked.code
    const others = settings.value.trustedTokenizers.filter((each) => each.folder !== folder)
    const error = await settings.change({ trustedTokenizers: [...others, { folder, className, hash }] })
    if (error === null) await engine.load(asked.modelId)
    else onfailure(error)
  }
}
