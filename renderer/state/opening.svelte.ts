// Opening a model by its path: dropped on the window, chosen, or typed in.
import type { ContractError, ModelEntry } from '../../preload/contract'
import { toContractError } from '../api/failure'
import type { Dropped } from '../lib/dropped-paths'
import type { Library } from './library.svelte'

/** What the window shows about the path. `add` lists a folder of models, `open` loads one model. */
export type OpeningStep =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'ask'
      readonly purpose: 'add' | 'open'
      readonly path: string
      readonly error: ContractError | null
      readonly busy: boolean
    }
  | { readonly kind: 'checking' }
  | { readonly kind: 'refused'; readonly path: string; readonly error: ContractError }

/** Code of a folder that is no model, but holds some. */
const FOLDER_OF_MODELS = 'library/folder-of-models'

/** Leads from a path to a listed or loaded model, or to the reason why not. */
export class Opening {
  dragging = $state(false)
  #step = $state.raw<OpeningStep>({ kind: 'none' })
  readonly #library: Library
  readonly #openModel: (model: ModelEntry) => void
  readonly #showModels: () => void

  constructor(library: Library, then: { readonly openModel: (model: ModelEntry) => void; readonly showModels: () => void }) {
    this.#library = library
    this.#openModel = then.openModel
    this.#showModels = then.showModels
  }

  get step(): OpeningStep {
    return this.#step
  }

  /** Takes what was dropped. */
  async take(dropped: Dropped): Promise<void> {
    this.dragging = false
    if (dropped.kind === 'path') await this.open(dropped.path)
    else if (dropped.kind === 'name') this.ask('open', dropped.name)
  }

  /** Asks for a path. */
  ask(purpose: 'add' | 'open', path: string): void {
    this.#step = { kind: 'ask', purpose, path, error: null, busy: false }
  }

  /** Takes the path that was asked for. */
  async answer(path: string): Promise<void> {
    const asked = this.#step
    if (asked.kind !== 'ask' || asked.busy) return
    this.#step = { ...asked, path, error: null, busy: true }
    const error = asked.purpose === 'add' ? await this.#library.addFolder(path) : await this.#tryOpen(path)
    this.#step = error === null ? { kind: 'none' } : { kind: 'ask', purpose: asked.purpose, path, error, busy: false }
  }

  /** Opens the model at a path, or shows why that is none. */
  async open(path: string): Promise<void> {
    this.#step = { kind: 'checking' }
    const error = await this.#tryOpen(path)
    this.#step = error === null ? { kind: 'none' } : { kind: 'refused', path, error }
  }

  /** Adds a folder that was chosen, or shows why it was refused. */
  async add(path: string): Promise<void> {
    const error = await this.#library.addFolder(path)
    if (error !== null) this.#step = { kind: 'refused', path, error }
  }

  close(): void {
    this.#step = { kind: 'none' }
  }

  async #addModels(path: string): Promise<ContractError | null> {
    const error = await this.#library.addFolder(path)
    if (error === null) this.#showModels()
    return error
  }

  async #tryOpen(path: string): Promise<ContractError | null> {
    try {
      const report = await this.#library.inspect(path)
      if (report.problem?.code === FOLDER_OF_MODELS) return await this.#addModels(path)
      const problem = report.problem ?? report.model?.problem
      if (problem !== null && problem !== undefined) return problem
      if (report.model === null) return { code: 'app/no-model', message: `There is no model at ${path}.`, details: { path } }
      const error = report.model.source === 'folder' ? await this.#library.addFolder(report.model.path) : null
      if (error !== null) return error
      this.#openModel(report.model)
      return null
    } catch (thrown) {
      return toContractError(thrown)
    }
  }
}
