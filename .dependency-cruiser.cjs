// The walls of docs/architecture.md as rules. No exemption lists.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^(electron|virtual:)' } },
    {
      name: 'engine-stands-alone',
      comment: 'engine/ imports itself, Node and its own packages',
      severity: 'error',
      from: { path: '^engine/' },
      to: { path: '^(main|preload|renderer|test)/|node_modules/(electron|libsql|valibot|ws|commander|svelte)/' },
    },
    {
      name: 'one-door-to-onnxruntime',
      severity: 'error',
      from: { pathNot: '^engine/runtime/ort\\.ts$' },
      to: { path: 'onnxruntime-(node|common)' },
    },
    {
      name: 'koffi-beside-the-door',
      severity: 'error',
      from: { pathNot: '^engine/runtime/(ort\\.ts$|ort/)' },
      to: { path: '(^|/)koffi' },
    },
    {
      name: 'engine-reads-left-to-right',
      comment: 'bytes -> tensor -> checkpoint -> config -> tokenizer -> graph -> plan -> runtime -> generate -> convert',
      severity: 'error',
      from: { path: '^engine/(bytes|tensor|checkpoint|prepared|config|tokenizer|graph|plan)/' },
      to: { path: '^engine/(runtime|generate|convert)/(?!ort-types|model-types)' },
    },
    {
      name: 'bytes-first',
      severity: 'error',
      from: { path: '^engine/bytes/' },
      to: { path: '^engine/(tensor|checkpoint|config|tokenizer|graph|plan)/' },
    },
    {
      name: 'tensor-second',
      severity: 'error',
      from: { path: '^engine/tensor/' },
      to: { path: '^engine/(checkpoint|config|tokenizer|graph|plan)/' },
    },
    {
      name: 'checkpoint-third',
      severity: 'error',
      from: { path: '^engine/checkpoint/' },
      to: { path: '^engine/(prepared|config|tokenizer|graph|plan)/' },
    },
    {
      name: 'prepared-knows-checkpoints-only',
      comment: 'prepared weights are made from checkpoints, before any graph; the graph says what it wants of them',
      severity: 'error',
      from: { path: '^engine/prepared/' },
      to: { path: '^engine/(config|tokenizer|graph|plan|runtime|generate|convert)/' },
    },
    { name: 'config-fourth', severity: 'error', from: { path: '^engine/config/' }, to: { path: '^engine/(tokenizer|graph|plan)/' } },
    {
      name: 'electron-in-its-host-only',
      severity: 'error',
      from: { pathNot: '^(main/hosts/electron/|preload/index\\.ts$|test/)' },
      to: { path: '(^|node_modules/)electron(/|$)', pathNot: 'electron-(vite|builder)|hosts/electron' },
    },
    {
      name: 'engine-values-in-worker-and-cli-only',
      comment: 'main/ may import engine types anywhere, values only in the worker and the command line',
      severity: 'error',
      from: { path: '^main/', pathNot: '^main/(engine/worker(\\.ts$|/)|hosts/cli/)' },
      to: { path: '^engine/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'services-do-not-import-each-other',
      severity: 'error',
      from: { path: '^main/(hub|library|chats|settings|server)/' },
      to: { path: '^main/(hub|library|chats|settings|server|hosts)/', pathNot: '^main/$1/' },
    },
    {
      name: 'contract-imports-its-schema-library-only',
      severity: 'error',
      from: { path: '^preload/contract' },
      to: { pathNot: 'valibot|^preload/contract' },
    },
    {
      name: 'preload-knows-the-contract-only',
      severity: 'error',
      from: { path: '^preload/' },
      to: { path: '^(main|engine|renderer|test)/' },
    },
    {
      name: 'renderer-knows-the-contract-only',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { path: '^(main|engine|test)/|^preload/(?!contract)' },
    },
    {
      name: 'components-are-props-and-callbacks',
      severity: 'error',
      from: { path: '^renderer/components/' },
      to: { path: '^renderer/(state|api)/' },
    },
    { name: 'nothing-imports-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'svelte', 'types', 'default'],
      extensions: ['.ts', '.svelte.ts', '.js', '.svelte', '.json', '.css'],
    },
  },
}
