// One model folder against its golden.safetensors, in every way that a family is proved: logits, greedy ids, parts over the cache, 8 and 4 bits, and the way to another format and back.
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { OutputFormat } from '../../engine/checkpoint/writers/formats'
import { convert } from '../../engine/convert/convert'
import { EngineError } from '../../engine/errors'
import type { WeightFormatName } from '../../engine/graph/weight-format'
import type { LoadedDecoder } from '../../engine/runtime/decoder-model'
import {
  greedyIds,
  loadModelFolder,
  logitsInParts,
  maxDifference,
  readGolden,
  standardDeviation,
  type Golden,
} from '../engine/runtime/golden-model'
import { goldenLogits, logitError, type GoldenLogits } from '../support/golden-logits'

/** Smaller than every window and prompt of the fixtures, so that parts begin inside of windows. */
const PART_TOKENS = 3
/** Where the best token leads the second by less than this many standard deviations of the logits, rounding may decide. */
const MIN_MARGIN = 0.05

/** Tokens of a quantized decoder that stay the likeliest, of those whose margin in F32 is large enough. */
export interface KeptTokens {
  readonly kept: number
  readonly decided: number
}

/** What was found for one model. Differences are in units of the logits' standard deviation. */
export interface FamilyProof {
  readonly modelType: string
  readonly logits: number
  readonly greedy: { readonly equal: number; readonly count: number }
  readonly parts: number
  readonly q8: KeptTokens
  readonly q4: KeptTokens
  /** To PyTorch's files and back to safetensors. */
  readonly torch: number
  /** Run from GGUF in F32, up to the context that the file announces, or the code that refused to write it. */
  readonly gguf: number | string
  /** Run from ONNX, or the code that refused to write it. */
  readonly onnx: number | string
}

interface Choice {
  readonly id: number
  readonly margin: number
}

/** The likeliest id of each row that may be chosen, and by how much. */
function choices(logits: Float32Array, vocabSize: number, suppressed: readonly number[]): readonly Choice[] {
  return Array.from({ length: logits.length / vocabSize }, (_, row) => {
    const ranked = Array.from(logits.subarray(row * vocabSize, (row + 1) * vocabSize), (value, id) => ({ id, value }))
      .filter(({ id }) => !suppressed.includes(id))
      .sort((a, b) => b.value - a.value)
    return { id: ranked[0]?.id ?? -1, margin: (ranked[0]?.value ?? 0) - (ranked[1]?.value ?? 0) }
  })
}

/** What chooses each of the reference's greedy ids. */
async function choosing(decoder: LoadedDecoder, golden: Golden): Promise<readonly Choice[]> {
  const ids = [...golden.inputIds, ...golden.greedyIds.slice(0, -1)]
  const logits = await logitsInParts(decoder, ids, ids.length)
  const { vocabSize, eosTokenIds } = decoder.config
  return choices(logits.subarray((golden.inputIds.length - 1) * vocabSize), vocabSize, eosTokenIds)
}

/** Where the result lies, and the context that it announces where that is shorter than the model's. */
async function converted(
  source: string,
  scratch: string,
  to: OutputFormat,
): Promise<{ readonly out: string; readonly contextTokens: number }> {
  const out = join(scratch, to === 'gguf' ? 'model.gguf' : to)
  const { notes } = await convert({ source, to, out, sync: false, force: true, ...(to === 'gguf' ? { dtype: 'F32' } : {}) })
  const contextTokens = notes.find(({ code }) => code === 'convert/gguf-context-of-window')?.data['contextTokens']
  return { out, contextTokens: typeof contextTokens === 'number' ? contextTokens : Infinity }
}

/** The answers for the first `tokens` ids. */
function firstOf({ ids, logits }: GoldenLogits, tokens: number): GoldenLogits {
  if (tokens >= ids.length) return { ids, logits }
  return { ids: ids.slice(0, tokens), logits: logits.slice(0, (logits.length / ids.length) * tokens) }
}

async function orCode(act: () => Promise<number>): Promise<number | string> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof EngineError) return error.code
    throw error
  }
}

/** The folder without the answers, which are no part of the model. */
async function withoutAnswers(directory: string, scratch: string): Promise<string> {
  const model = join(scratch, 'model')
  await mkdir(model)
  for (const name of await readdir(directory))
    if (name !== 'golden.safetensors' && name !== 'origin.json') await symlink(resolve(directory, name), join(model, name))
  return model
}

/** Proves one model folder. Throws what loading it in F32 throws. */
export async function verifyFamily(directory: string): Promise<FamilyProof> {
  const scratch = await mkdtemp(join(tmpdir(), 'weightroom-verify-'))
  try {
    const golden = await readGolden(directory)
    using exact = await loadModelFolder(directory)
    const spread = standardDeviation(golden.logits)
    const { inputIds } = golden
    const count = golden.greedyIds.length
    using cache = exact.createCache({ capacityTokens: inputIds.length + count })
    const found = await greedyIds(exact, { cache, promptIds: inputIds, count })
    const expected = await choosing(exact, golden)
    const decided = expected.filter(({ margin }) => margin > MIN_MARGIN * spread)
    const kept = async (format: WeightFormatName): Promise<KeptTokens> => {
      using decoder = await loadModelFolder(directory, { format, prepared: { folder: join(scratch, 'prepared') } })
      const got = await choosing(decoder, golden)
      return {
        decided: decided.length,
        kept: expected.filter((choice, row) => decided.includes(choice) && choice.id === got[row]?.id).length,
      }
    }
    const model = await withoutAnswers(directory, scratch)
    const answers = await goldenLogits(join(directory, 'golden.safetensors'))
    const through = async (...formats: readonly OutputFormat[]): Promise<number> => {
      let [source, tokens] = [model, Infinity]
      for (const format of formats) {
        const { out, contextTokens } = await converted(source, scratch, format)
        source = out
        tokens = Math.min(tokens, contextTokens)
      }
      return logitError(source, firstOf(answers, tokens))
    }
    return {
      modelType: exact.config.modelType,
      logits: maxDifference(await logitsInParts(exact, inputIds, inputIds.length), golden.logits) / spread,
      greedy: { equal: found.filter((id, index) => id === golden.greedyIds[index]).length, count },
      parts: maxDifference(await logitsInParts(exact, inputIds, PART_TOKENS), golden.logits) / spread,
      q8: await kept('q8'),
      q4: await kept('q4'),
      torch: await through('torch', 'safetensors'),
      gguf: await orCode(() => through('gguf')),
      onnx: await orCode(() => through('onnx')),
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
