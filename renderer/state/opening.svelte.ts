// Opening a model by its path: dropped on the window, chosen, or typed in.
import type { ContractError, ModelEntry } from '../../preload/contract'
import { toContractError } from '../api/failure'
import type { NamedFile } from '../lib/dropped-files'
import type { Dropped } from '../lib/dropped-paths'
import type { Library } from './library.svelte'

/** What the window shows about the path. `add` lists a folder of models, `open` looks into what lies there. */
export type OpeningStep =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'ask'
      readonly purpose: 'add' | 'open'
      readonly path: string
      /** What can be sent instead, where a browser gave files without their paths. */
      readonly files: readonly NamedFile[]
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
  readonly #look: (path: string) => void

  constructor(
    library: Library,
    then: {
      readonly openModel: (model: ModelEntry) => void
      readonly showModels: () => void
      /** Shows what lies at a path. */
      readonly look: (path: string) => void
    },
  ) {
    this.#library = library
    this.#openModel = then.openModel
    this.#showModels = then.showModels
    this.#look = then.look
  }

  get step(): OpeningStep {
    return this.#step
  }

  /** Takes what was dropped; `files` are sent where nobody tells where it lies. */
  async take(dropped: Dropped, files: readonly NamedFile[] = []): Promise<void> {
    this.dragging = false
    if (dropped.kind === 'path') await this.open(dropped.path)
    else if (dropped.kind === 'name') this.ask('open', dropped.name, files)
  }

  /** Asks for a path. */
  ask(purpose: 'add' | 'open', path: string, files: readonly NamedFile[] = []): void {
    this.#step = { kind: 'ask', purpose, path, files, error: null, busy: false }
  }

  /** Takes the path that was asked for. */
  async answer(path: string): Promise<void> {
    const asked = this.#step
    if (asked.kind !== 'ask' || asked.busy) return
    this.#step = { ...asked, path, error: null, busy: true }
    if (asked.purpose === 'open') {
      await this.open(path)
      return
    }
    const error = await this.#library.addFolder(path)
    this.#step = error === null ? { kind: 'none' } : { ...asked, path, error, busy: false }
  }

  /** Looks into what lies at a path; a folder of models is listed instead. */
  async open(path: string): Promise<void> {
    this.#step = { kind: 'checking' }
    const report = await this.#library.inspect(path).catch(() => null)
    if (report?.problem?.code === FOLDER_OF_MODELS) {
      const error = await this.#addModels(path)
      this.#step = error === null ? { kind: 'none' } : { kind: 'refused', path, error }
      return
    }
    this.#step = { kind: 'none' }
    this.#look(path)
  }

  /** Lists the model of a folder and goes to a chat with it, or shows why that cannot be. */
  async chat(path: string): Promise<void> {
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
