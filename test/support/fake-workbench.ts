// The workbench part of the fake bridge: checkpoints made of names, and conversions that end when their time has come. Only type imports, as its user is put into a page.
import type {
  CallInput,
  CallName,
  CallOutput,
  CheckpointSummary,
  ContractError,
  ConversionJob,
  ConversionPreview,
  ConversionProof,
  ConversionsEvent,
  PlaceListing,
  Result,
  TensorRow,
  TokenizerSummary,
} from '../../preload/contract'

/** What the fake workbench begins with. */
export interface FakeWorkbenchScenario {
  readonly summary?: Partial<CheckpointSummary>
  /** Layers of the fake checkpoint. */
  readonly layers?: number
  readonly tokenizer?: TokenizerSummary
  readonly jobs?: readonly ConversionJob[]
  readonly preview?: Partial<ConversionPreview>
  readonly places?: Readonly<Record<string, PlaceListing>>
}

/** Names of the workbench's calls. */
type FakeWorkbenchCalls = Extract<CallName, `${'checkpoint' | 'places' | 'uploads' | 'conversions'}.${string}` | 'app.chooseFiles'>

/** Services and streams for the fake bridge. */
export interface FakeWorkbench {
  readonly services: { readonly [N in FakeWorkbenchCalls]: (input: CallInput<N>) => CallOutput<N> }
  readonly watchConversions: (sink: { readonly event: (event: ConversionsEvent) => void }) => () => void
  readonly setJobs: (jobs: readonly ConversionJob[]) => void
  readonly statistics: (
    input: { readonly name: string },
    sink: { readonly event: (event: never) => void; readonly end: (result: Result<null>) => void },
  ) => () => void
}

/** A job as the queue would tell it. */
export function fakeJob(more: Partial<ConversionJob> = {}): ConversionJob {
  return {
    id: 'job-1',
    order: {
      source: '/m/tiny',
      to: 'safetensors',
      out: '/m/tiny-safetensors',
      dtype: null,
      maxShardBytes: null,
      stripPrefix: null,
      family: null,
      settings: {},
      quantize: null,
      include: null,
      force: false,
    },
    state: 'queued',
    createdAtMs: 1_700_000_000_000,
    startedAtMs: null,
    endedAtMs: null,
    progress: { file: null, doneBytes: 0, totalBytes: 0, bytesPerSecond: null, leftMs: null },
    proof: null,
    error: null,
    ...more,
  }
}

/** The proof of a job that is done. */
export function fakeProof(more: Partial<ConversionProof> = {}): ConversionProof {
  return {
    out: '/m/tiny-safetensors',
    files: [{ file: 'model.safetensors', sizeBytes: 21_600_000, tensors: 75, reused: false }],
    companions: ['config.json', 'tokenizer.model'],
    totals: {
      tensors: 75,
      parameters: 10_800_000,
      tensorBytes: 21_590_000,
      fileBytes: 21_600_000,
      identicalTensors: 75,
      maxAbsError: 0,
      overflowed: 0,
      flushedToZero: 0,
    },
    dtypeChanges: [],
    family: null,
    logits: { positions: 12, maxAbsError: 0, logitStd: 3.1, sameGreedy: true },
    dropped: [],
    notes: [],
    tensors: [
      {
        name: 'model.embed_tokens.weight',
        dtype: 'BF16',
        shape: [8192, 256],
        sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        maxAbsError: 0,
      },
    ],
    ...more,
  }
}

/** Makes the fake workbench. */
export function createFakeWorkbench(scenario: FakeWorkbenchScenario = {}): FakeWorkbench {
  const layers = scenario.layers ?? 8
  const sinks = new Set<(event: ConversionsEvent) => void>()
  let jobs: readonly ConversionJob[] = scenario.jobs ?? []
  let lastJob = 0
  const refuse = (code: string, message: string): never => {
    throw Object.assign(new Error(message), { contract: { code, message, details: {} } satisfies ContractError })
  }
  const inLayer = [
    'self_attn.q_proj',
    'self_attn.k_proj',
    'self_attn.v_proj',
    'self_attn.o_proj',
    'mlp.gate_proj',
    'mlp.up_proj',
    'mlp.down_proj',
    'input_layernorm',
    'post_attention_layernorm',
  ]
  const tensorsOf = (count: number): readonly { name: string; shape: readonly number[]; file: string; sizeBytes: number }[] => [
    { name: 'model.embed_tokens.weight', shape: [8192, 256], file: 'model-00001-of-00002.safetensors', sizeBytes: 4_194_304 },
    ...Array.from({ length: count }, (_, layer) =>
      inLayer.map((part) => ({
        name: `model.layers.${layer}.${part}.weight`,
        shape: part.endsWith('norm') ? [256] : [256, 256],
        file: `model-0000${layer < count / 2 ? 1 : 2}-of-00002.safetensors`,
        sizeBytes: part.endsWith('norm') ? 512 : 131_072,
      })),
    ).flat(),
    { name: 'model.norm.weight', shape: [256], file: 'model-00002-of-00002.safetensors', sizeBytes: 512 },
  ]
  const all = tensorsOf(layers)
  const tell = (event: ConversionsEvent): void => {
    for (const sink of sinks) sink(event)
  }
  const setJobs = (next: readonly ConversionJob[]): void => {
    jobs = next
    tell({ type: 'all', jobs })
  }
  const changeJob = (jobId: string, more: Partial<ConversionJob>): ConversionJob => {
    const job = { ...(jobs.find(({ id }) => id === jobId) ?? refuse('conversions/not-found', 'No such conversion.')), ...more }
    jobs = jobs.map((each) => (each.id === jobId ? job : each))
    tell({ type: 'changed', job })
    return job
  }

  const summary = (path: string): CheckpointSummary => ({
    path,
    name: path.split('/').at(-1) ?? path,
    kind: 'folder',
    format: 'safetensors',
    files: [
      { name: 'model-00001-of-00002.safetensors', sizeBytes: 13_100_000 },
      { name: 'model-00002-of-00002.safetensors', sizeBytes: 8_500_000 },
    ],
    fileBytes: 21_600_000,
    tensorCount: all.length,
    parameterCount: 10_800_000,
    weightBytes: 21_590_000,
    dtypes: [{ dtype: 'BF16', tensors: all.length, sizeBytes: 21_590_000 }],
    modelType: 'llama',
    facts: [
      { name: 'hidden_size', value: '256' },
      { name: 'num_hidden_layers', value: String(layers) },
      { name: 'num_attention_heads', value: '8' },
      { name: 'num_key_value_heads', value: '4' },
      { name: 'vocab_size', value: '8192' },
      { name: 'max_position_embeddings', value: '2048' },
    ],
    config: '{\n  "architectures": [\n    "LlamaForCausalLM"\n  ],\n  "hidden_size": 256,\n  "model_type": "llama"\n}',
    tokenizer: { files: ['tokenizer.model', 'tokenizer_config.json'], complete: true },
    metadata: [{ name: 'format', value: 'pt' }],
    notes: [],
    model: { path, state: 'ready', problem: null },
    aroundPath: null,
    shardMap: {
      files: [0, 1].map((file) => ({
        name: `model-0000${file + 1}-of-00002.safetensors`,
        sizeBytes: file === 0 ? 13_100_000 : 8_500_000,
        segments: [
          ...(file === 0 ? [{ kind: 'embedding' as const, label: '', layer: null, sizeBytes: 4_194_304, tensors: 1 }] : []),
          ...Array.from({ length: Math.ceil(layers / 2) }, (_, index) => ({
            kind: 'layer' as const,
            label: String(index + file * Math.ceil(layers / 2)),
            layer: index + file * Math.ceil(layers / 2),
            sizeBytes: 917_000,
            tensors: 9,
          })),
          ...(file === 1 ? [{ kind: 'norm' as const, label: '', layer: null, sizeBytes: 512, tensors: 1 }] : []),
        ],
      })),
      simplified: false,
    },
    outputs: [
      { id: 'safetensors', name: 'safetensors', extensions: ['.safetensors'], sharded: true },
      { id: 'torch', name: 'PyTorch', extensions: ['.bin'], sharded: true },
      { id: 'pth', name: 'PyTorch', extensions: ['.pth'], sharded: false },
      { id: 'npz', name: 'NumPy', extensions: ['.npz'], sharded: false },
    ],
    ...scenario.summary,
  })

  const visible = (query: string, open: boolean, toggled: readonly string[]): readonly TensorRow[] => {
    const hits = all.filter(({ name }) => name.toLowerCase().includes(query.toLowerCase()))
    const rows: TensorRow[] = []
    const isOpen = (prefix: string): boolean => open !== toggled.includes(prefix)
    const walk = (prefix: string, depth: number): void => {
      const seen = new Set<string>()
      for (const tensor of hits) {
        if (!tensor.name.startsWith(prefix)) continue
        const rest = tensor.name.slice(prefix.length)
        const dots = rest.split('.')
        if (dots.length <= 2 && !/^\d+$/.test(dots[0] ?? '') && !/^(?:layers|model)$/.test(dots[0] ?? '')) {
          rows.push({ kind: 'tensor', ...tensor, label: rest, depth, dtype: 'BF16', block: null })
          continue
        }
        const group = `${prefix}${dots[0] ?? ''}.`
        if (seen.has(group)) continue
        seen.add(group)
        const inside = hits.filter(({ name }) => name.startsWith(group))
        rows.push({
          kind: 'group',
          prefix: group,
          label: dots[0] ?? '',
          depth,
          open: isOpen(group),
          tensors: inside.length,
          sizeBytes: inside.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        })
        if (isOpen(group)) walk(group, depth + 1)
      }
    }
    walk('', 0)
    return rows
  }

  const preview = (order: CallInput<'conversions.plan'>): ConversionPreview => ({
    source: { path: order.source, format: 'safetensors', files: 2, tensorBytes: 21_590_000 },
    to: order.to,
    out: order.out ?? `${order.source}-${order.to}`,
    kind: 'folder',
    outputs: [{ file: order.to === 'pth' ? 'model.pth' : 'model.safetensors', sizeBytes: 21_600_000, tensors: all.length }],
    companions: [
      { file: 'config.json', sizeBytes: 640 },
      { file: 'tokenizer.model', sizeBytes: 241_000 },
    ],
    tensors: all.length,
    neededBytes: 21_841_640,
    freeBytes: 182_000_000_000,
    dtypeChanges:
      order.dtype === null ? [] : [{ from: 'BF16', to: order.dtype, tensors: all.length, exact: order.dtype !== 'F16', reason: 'asked' }],
    family: null,
    candidates: [],
    tied: [],
    dropped: [],
    replaced: [],
    notes: [],
    renamed: [],
    renamedCount: 0,
    ...scenario.preview,
  })

  return {
    setJobs,
    watchConversions: (sink) => {
      sinks.add(sink.event)
      sink.event({ type: 'all', jobs })
      return () => sinks.delete(sink.event)
    },
    statistics: ({ name }, sink) => {
      const statistics = {
        name,
        dtype: 'BF16',
        shape: [256, 256],
        elements: 65_536,
        min: -0.2139,
        max: 0.2207,
        mean: 0.000021,
        std: 0.0406,
        nanCount: 0,
        infinityCount: 0,
        zeroCount: 3,
        firstValues: [0.0117, -0.0302, 0.0488, 0.0009],
        histogram: {
          from: -0.203,
          to: 0.203,
          counts: Array.from({ length: 64 }, (_, bin) => Math.round(4_000 * Math.exp(-(((bin - 31.5) / 12) ** 2)))),
          below: 2,
          above: 4,
        },
      }
      queueMicrotask(() => {
        sink.event({ type: 'done', statistics } as never)
        sink.end({ ok: true, value: null })
      })
      return () => undefined
    },
    services: {
      'app.chooseFiles': () => ['/home/me/models/chosen.pth'],
      'conversions.show': () => null,
      'checkpoint.inspect': ({ path }) =>
        path.includes('empty') ? refuse('checkpoint/no-weights', `There are no weights in ${path}.`) : summary(path),
      'checkpoint.tokenizer': () =>
        scenario.tokenizer ?? {
          tokenizer: {
            file: 'tokenizer.model',
            kind: 'sentencepiece-bpe',
            why: { code: 'tokenizer/only-one', data: {}, text: 'No other tokenizer lies there.' },
            vocabSize: 8192,
          },
          template: { source: 'tokenizer_config.json', fallbackFamily: null },
          problem: null,
        },
      'checkpoint.rows': ({ query, open, toggled, offset, limit }) => {
        const rows = visible(query, open, toggled)
        const tensors = all.filter(({ name }) => name.toLowerCase().includes(query.toLowerCase())).length
        return { totalRows: rows.length, tensors, offset, rows: rows.slice(offset, offset + limit) }
      },
      'places.list': ({ path }) =>
        scenario.places?.[path ?? ''] ?? {
          path: path ?? '/home/me',
          parent: path === null || path === '/home/me' ? '/home' : path.slice(0, path.lastIndexOf('/')) || '/',
          entries: [
            { name: 'models', path: `${path ?? '/home/me'}/models`, kind: 'folder', sizeBytes: null, hint: null },
            { name: 'tiny-llama', path: `${path ?? '/home/me'}/tiny-llama`, kind: 'folder', sizeBytes: null, hint: 'model' },
            { name: 'minimind.pth', path: `${path ?? '/home/me'}/minimind.pth`, kind: 'file', sizeBytes: 104_000_000, hint: 'weights' },
            { name: 'notes.txt', path: `${path ?? '/home/me'}/notes.txt`, kind: 'file', sizeBytes: 812, hint: null },
          ],
          leftOut: 0,
          shortcuts: [
            { kind: 'home', path: '/home/me' },
            { kind: 'root', path: '/' },
          ],
        },
      'uploads.begin': () => ({ uploadId: 'upload-1', path: '/data/uploads/upload-1/model.pth' }),
      'uploads.write': ({ offsetBytes, data }) => ({ receivedBytes: offsetBytes + Math.floor((data.length * 3) / 4) }),
      'uploads.finish': () => ({ uploadId: 'upload-1', path: '/data/uploads/upload-1/model.pth' }),
      'uploads.discard': () => null,
      'uploads.keep': () => ({ path: '/data/models/model' }),
      'conversions.plan': preview,
      'conversions.start': (order) => {
        const job = fakeJob({
          id: `job-${++lastJob}-new`,
          order: { ...order, out: order.out ?? `${order.source}-${order.to}` },
          state: 'queued',
        })
        jobs = [...jobs, job]
        tell({ type: 'changed', job })
        return job
      },
      'conversions.cancel': ({ jobId }) => {
        changeJob(jobId, { state: 'cancelled' })
        return null
      },
      'conversions.retry': ({ jobId }) => changeJob(jobId, { state: 'queued', error: null }),
      'conversions.remove': ({ jobId }) => {
        jobs = jobs.filter(({ id }) => id !== jobId)
        tell({ type: 'removed', jobIds: [jobId] })
        return null
      },
      'conversions.clear': () => {
        setJobs(jobs.filter(({ state }) => state === 'running' || state === 'queued' || state === 'interrupted'))
        return null
      },
    },
  }
}
