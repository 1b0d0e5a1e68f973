// The language that the window speaks now, as rune state, so that every text follows a change at once.
import type { Language } from './catalogue'
import { chooseLanguage } from './choose-language'

/** Holds the chosen language; `system` follows the browser. */
class Spoken {
  #choice = $state<Language | 'system'>('system')
  #preferred = $state.raw<readonly string[]>(navigator.languages)

  /** The language in use. */
  get language(): Language {
    return this.#choice === 'system' ? chooseLanguage(this.#preferred) : this.#choice
  }

  /** Sets the choice of the settings. */
  choose(choice: Language | 'system'): void {
    this.#choice = choice
  }
}

/** The window's one language. */
export const spoken = new Spoken()
