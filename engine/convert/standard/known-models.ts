// Public decoders by their shapes: what their state dicts do not say. Figures from their published configurations; MiniMind's from its README and model files.

/** Rows of the key projection and the shapes around it identify a model; `naming` restricts a row to one. */
export interface KnownModel {
  readonly name: string
  readonly hiddenSize: number
  readonly keyRows: number
  readonly layers?: number
  readonly vocabSize?: number
  readonly headDim: number
  readonly ropeTheta: number
  readonly normEps: number
  readonly maxPositions: number
  /** Positions are a table of their own. */
  readonly learnedPositions?: boolean
}

type Row = readonly [name: string, hiddenSize: number, keyRows: number, layers: number | null, vocabSize: number | null, headDim: number]
type Figures = Pick<KnownModel, 'ropeTheta' | 'normEps' | 'maxPositions' | 'learnedPositions'>

const rows = (figures: Figures, table: readonly Row[]): readonly KnownModel[] =>
  table.map(([name, hiddenSize, keyRows, layers, vocabSize, headDim]) => ({
    name,
    hiddenSize,
    keyRows,
    headDim,
    ...figures,
    ...(layers !== null && { layers }),
    ...(vocabSize !== null && { vocabSize }),
  }))

/** The table; the first row that fits counts. */
const KNOWN_MODELS: readonly KnownModel[] = [
  ...rows({ ropeTheta: 1e6, normEps: 1e-5, maxPositions: 32_768 }, [
    ['MiniMind2-small', 512, 128, null, 6400, 64],
    ['MiniMind2', 768, 192, null, 6400, 96],
  ]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 8192 }, [
    ['MiniMind-v1-small', 512, 256, null, 6400, 32],
    ['MiniMind-v1', 768, 384, null, 6400, 48],
  ]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 256 }, [['stories15M', 288, 288, 6, 32_000, 48]]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 512 }, [['stories260K', 64, 32, 5, 512, 8]]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 1024 }, [
    ['stories42M', 512, 512, 8, 32_000, 64],
    ['stories110M', 768, 768, 12, 32_000, 64],
  ]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 4096 }, [
    ['Llama 2 7B', 4096, 4096, 32, 32_000, 128],
    ['Llama 2 13B', 5120, 5120, 40, 32_000, 128],
    ['Llama 2 70B', 8192, 1024, 80, 32_000, 128],
  ]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-6, maxPositions: 2048 }, [
    ['Llama 33B', 6656, 6656, 60, 32_000, 128],
    ['Llama 65B', 8192, 8192, 80, 32_000, 128],
  ]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 2048 }, [['TinyLlama 1.1B', 2048, 256, 22, 32_000, 64]]),
  ...rows({ ropeTheta: 5e5, normEps: 1e-5, maxPositions: 8192 }, [
    ['Llama 3 8B', 4096, 1024, 32, 128_256, 128],
    ['Llama 3 70B', 8192, 1024, 80, 128_256, 128],
  ]),
  ...rows({ ropeTheta: 5e5, normEps: 1e-5, maxPositions: 131_072 }, [
    ['Llama 3.2 1B', 2048, 512, 16, 128_256, 64],
    ['Llama 3.2 3B', 3072, 1024, 28, 128_256, 128],
  ]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 32_768 }, [['Mistral 7B v0.1', 4096, 1024, 32, 32_000, 128]]),
  ...rows({ ropeTheta: 1e6, normEps: 1e-5, maxPositions: 32_768 }, [['Mistral 7B v0.3', 4096, 1024, 32, 32_768, 128]]),
  ...rows({ ropeTheta: 1e6, normEps: 1e-6, maxPositions: 32_768 }, [
    ['Qwen2 0.5B', 896, 128, 24, null, 64],
    ['Qwen2 1.5B', 1536, 256, 28, null, 128],
    ['Qwen2.5 3B', 2048, 256, 36, null, 128],
    ['Qwen2 7B', 3584, 512, 28, null, 128],
  ]),
  ...rows({ ropeTheta: 1e5, normEps: 1e-5, maxPositions: 8192 }, [
    ['SmolLM2 135M', 576, 192, 30, 49_152, 64],
    ['SmolLM2 360M', 960, 320, 32, 49_152, 64],
    ['SmolLM2 1.7B', 2048, 2048, 24, 49_152, 64],
  ]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 1024, learnedPositions: true }, [
    ['GPT-2', 768, 768, 12, null, 64],
    ['GPT-2 medium', 1024, 1024, 24, null, 64],
    ['GPT-2 large', 1280, 1280, 36, null, 64],
    ['GPT-2 XL', 1600, 1600, 48, null, 64],
    ['nanoGPT Shakespeare', 384, 384, 6, null, 64],
  ]),
  ...rows({ ropeTheta: 1e4, normEps: 1e-5, maxPositions: 2048 }, [
    ['Pythia 14M', 128, 128, 6, null, 32],
    ['Pythia 31M', 256, 256, 6, null, 32],
    ['Pythia 70M', 512, 512, 6, null, 64],
    ['Pythia 160M', 768, 768, 12, 50_304, 64],
    ['Pythia 410M', 1024, 1024, 24, 50_304, 64],
    ['Pythia 1B', 2048, 2048, 16, 50_304, 256],
    ['Pythia 1.4B', 2048, 2048, 24, 50_304, 128],
    ['Pythia 2.8B', 2560, 2560, 32, 50_304, 80],
    ['Pythia 6.9B', 4096, 4096, 32, 50_432, 128],
    ['Pythia 12B', 5120, 5120, 36, 50_688, 128],
    ['GPT-NeoX 20B', 6144, 6144, 44, null, 96],
  ]),
]

/** The number of heads that MiniMind's models of every size have, and the vocabulary that they share. */
export const MINIMIND = { vocabSize: 6400, heads: 8 } as const

/** What MiniMind's state dicts do not say; since its third version heads have norms, whose epsilon is smaller. */
export function minimindFigures(headNorms: boolean): Figures {
  return { ropeTheta: 1e6, normEps: headNorms ? 1e-6 : 1e-5, maxPositions: 32_768 }
}

/** The known model of these shapes. */
export function knownModel(shapes: {
  readonly hiddenSize: number
  readonly keyRows: number
  readonly layers: number
  readonly vocabSize: number
  readonly headNorms: boolean
  /** Rows of a table of positions; null where there is none. */
  readonly positions: number | null
}): KnownModel | null {
  // None of the table has norms in its heads.
  if (shapes.headNorms) return null
  const fits = (model: KnownModel): boolean =>
    model.hiddenSize === shapes.hiddenSize &&
    model.keyRows === shapes.keyRows &&
    (model.learnedPositions === true) === (shapes.positions !== null) &&
    (model.layers === undefined || model.layers === shapes.layers) &&
    (model.vocabSize === undefined || model.vocabSize === shapes.vocabSize)
  return KNOWN_MODELS.find(fits) ?? null
}
