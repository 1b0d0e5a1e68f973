// Module hook: every import of `electron` gets the built double.
const double = new URL('../../../out/test/electron-double.mjs', import.meta.url).href

export function resolve(specifier, context, next) {
  return specifier === 'electron' ? { url: double, shortCircuit: true } : next(specifier, context)
}
