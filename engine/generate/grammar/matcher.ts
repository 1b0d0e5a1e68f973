// Follows a grammar token by token and says which tokens may come next.
import { engineError } from '../../errors'
import type { TokenMask } from '../sampler'
import type { Vocabulary } from '../vocabulary'
import { createAutomaton, DEAD } from './automaton'
import type { Program } from './program'

/** Masks that are kept: free text returns to the same few situations with every token. One takes vocabSize / 8 bytes. */
const KEPT_MASKS = 64

/** Where a reply stands in its grammar. */
export interface GrammarMatcher {
  /** Tokens that keep the output within the grammar, and `stopIds` where it may end. Throws "generate/grammar-stuck" when there is none. */
  readonly mask: () => TokenMask
  /** Moves on by a token that the mask allowed; ids of `stopIds` change nothing. Throws "generate/grammar-stuck" for another. */
  readonly accept: (id: number) => void
  /** Moves on by the bytes of a text; false, and no move, where the grammar does not allow it. */
  readonly acceptBytes: (bytes: Uint8Array) => boolean
  /** The output is complete and nothing can follow. */
  readonly isComplete: () => boolean
}

/** A matcher at the beginning of a grammar. The program can be shared; a matcher is for one reply. */
export function createMatcher(options: {
  readonly program: Program
  readonly vocabulary: Vocabulary
  readonly stopIds: ReadonlySet<number>
}): GrammarMatcher {
  const { program, vocabulary, stopIds } = options
  const trie = vocabulary.trie()
  const automaton = createAutomaton(program)
  const masks = new Map<number, TokenMask>()
  let state = automaton.start

  function walk(): TokenMask {
    const { byte, depth, end, token, same, maxDepth } = trie
    const { classOfByte, step } = automaton
    const mask = new Uint32Array((vocabulary.size + 31) >>> 5)
    const path = new Int32Array(maxDepth + 1)
    path[0] = state
    const allow = (id: number): void => {
      mask[id >>> 5] = (mask[id >>> 5] ?? 0) | (1 << (id & 31))
    }
    for (let node = 0; node < byte.length;) {
      const level = depth[node] ?? 1
      const next = step(path[level - 1] ?? 0, classOfByte[byte[node] ?? 0] ?? 0)
      if (next === DEAD) {
        node = end[node] ?? byte.length
        continue
      }
      path[level] = next
      for (let id = token[node] ?? -1; id >= 0; id = same[id] ?? -1) allow(id)
      node++
    }
    if (automaton.mayEnd(state)) for (const id of stopIds) allow(id)
    if (mask.every((word) => word === 0)) throw engineError('generate/grammar-stuck', { vocabSize: vocabulary.size })
    return mask
  }

  function acceptBytes(bytes: Uint8Array): boolean {
    let next = state
    for (const byte of bytes) {
      next = automaton.step(next, automaton.classOfByte[byte] ?? 0)
      if (next === DEAD) return false
    }
    state = next
    return true
  }

  return {
    mask: () => {
      const tidied = automaton.tidy(state)
      state = tidied.state
      if (tidied.forgot) masks.clear()
      const known = masks.get(state)
      if (known !== undefined) return known
      const mask = walk()
      const oldest = masks.size >= KEPT_MASKS ? masks.keys().next().value : undefined
      if (oldest !== undefined) masks.delete(oldest)
      masks.set(state, mask)
      return mask
    },
    accept: (id) => {
      if (stopIds.has(id)) return
      const bytes = vocabulary.bytesOf(id)
      if (bytes === null || !acceptBytes(bytes)) throw engineError('generate/grammar-stuck', { vocabSize: vocabulary.size })
    },
    acceptBytes,
    isComplete: () => automaton.mayEnd(state) && !automaton.goesOn(state),
  }
}
