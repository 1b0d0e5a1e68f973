// `npm run bench [-- NAME ...]`: runs one benchmark of this folder, that of the model without a name.
const BENCHMARKS = ['model', 'conversion', 'event-loop', 'formats', 'memory', 'families']

const [first = 'model'] = process.argv.slice(2)
const name = first.startsWith('-') ? 'model' : first
if (!BENCHMARKS.includes(name)) throw new Error(`There is no benchmark "${name}"; there are ${BENCHMARKS.join(', ')}.`)
await import(`./${name}.mjs`)
