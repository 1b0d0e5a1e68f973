// The models that the host knows.
import type { ContractError, ModelEntry, PathReport } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** Code of a folder that holds no model; says what is missing, but not why. */
const NO_MODEL = 'library/no-model'

/** The list of models with its loading and failing states. */
export class Library {
  #entries = $state.raw<readonly ModelEntry[]>([])
  #status = $state<'loading' | 'ready' | 'failed'>('loading')
  #error = $state.raw<ContractError | null>(null)
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  get entries(): readonly ModelEntry[] {
    return this.#entries
  }

  get status(): 'loading' | 'ready' | 'failed' {
    return this.#status
  }

  /** Why the list could not be read. */
  get error(): ContractError | null {
    return this.#error
  }

  /** Name of a model by id, or the last part of its path where it is not listed. */
  nameOf(modelId: string): string {
    return this.#entries.find((entry) => entry.id === modelId)?.name ?? modelId.split(/[/\\]/).filter(Boolean).at(-1) ?? modelId
  }

  async refresh(): Promise<void> {
    if (this.#status === 'failed') this.#status = 'loading'
    try {
      this.#take(await this.#client.call('library.list', {}))
    } catch (thrown) {
      this.#error = toContractError(thrown)
      this.#status = 'failed'
    }
  }

  /** Adds a folder in place. Returns the error where it was refused: what exactly is wrong inside, where looking into it tells. */
  async addFolder(path: string): Promise<ContractError | null> {
    const error = await this.#change(() => this.#client.call('library.addFolder', { path }))
    if (error?.code !== NO_MODEL) return error
    const report = await this.inspect(path).catch(() => null)
    return report?.problem ?? error
  }

  /** Forgets the folder that brought a model: its own, or else the one around it, which was added as a folder of models. Files stay. */
  async removeModel(model: ModelEntry): Promise<{ readonly folder: string } | { readonly error: ContractError }> {
    for (const path of [model.path, parentFolder(model.path)]) {
      const error = await this.#change(() => this.#client.call('library.removeFolder', { path }))
      if (error !== null) return { error }
      if (!this.#entries.some((entry) => entry.id === model.id)) return { folder: path }
    }
    return { error: { code: 'library/not-found', message: `${model.path} was not added as a folder.`, details: { modelId: model.id } } }
  }

  /** What lies at a path. Throws ContractFailure. */
  inspect(path: string): Promise<PathReport> {
    return this.#client.call('library.inspectPath', { path })
  }

  async #change(change: () => Promise<readonly ModelEntry[]>): Promise<ContractError | null> {
    try {
      this.#take(await change())
      return null
    } catch (thrown) {
      return toContractError(thrown)
    }
  }

  #take(entries: readonly ModelEntry[]): void {
    this.#entries = entries
    this.#error = null
    this.#status = 'ready'
  }
}

function parentFolder(path: string): string {
  return path.replace(/[/\\]+[^/\\]+[/\\]*$/, '') || path
}
