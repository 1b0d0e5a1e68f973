// Renders a compiled chat template as jinja2 3.1.6 does in the environment of Transformers 5.18 (chat_template_utils.py), and says how it failed.
import { EngineError, engineError } from '../../errors'
import { createReach } from './access'
import { Budget, MAX_DEPTH } from './budget'
import type { CompiledTemplate } from './compile'
import { type ContinuedMessage, markFinalMessage } from './continue-message'
import { render } from './execute'
import { PythonError } from './failures'
import { ITEM_FILTERS } from './filters-items'
import { TEXT_FILTERS } from './filters-text'
import { createGlobals } from './globals'
import type { Filter, Runtime } from './registry'
import { isTrue } from './repr'
import { Scope } from './scope'
import { TESTS } from './tests'
import { type Value, textOf } from './values'
import { type TemplateVariables, variablesOf } from './variables'

export interface RenderOptions {
  /** Later ones hide earlier ones of the same name. */
  readonly variables: readonly TemplateVariables[]
  readonly strftimeNow: (format: string) => string
  /** 20 million by default. */
  readonly maxSteps?: number | undefined
}

/**
 * Renders the template. Throws "template/raised" when it calls raise_exception, "template/limit-exceeded", "template/cannot-continue", and "template/failed" for
 * every other failure of the template.
 */
export function renderTemplate({ body, source }: CompiledTemplate, options: RenderOptions): string {
  try {
    const budget = new Budget({ source, maxSteps: options.maxSteps })
    const runtime = createRuntime(budget)
    const builtins = new Scope(null, createGlobals({ reach: runtime, strftimeNow: options.strftimeNow }))
    const given = new Map(options.variables.flatMap((each) => [...variablesOf(each, budget)]))
    const { variables, cut } = continued(given, budget)
    builtins.set('self', { kind: 'attributes', shown: () => '<TemplateReference None>', attribute: () => undefined })
    const root = new Scope(builtins, variables)
    return cut(render(body, { scope: root, root, runtime }))
  } catch (cause) {
    throw asEngineError(cause, source)
  }
}

/** `continue_final_message` is no variable of the template. */
function continued(given: Map<string, Value>, budget: Budget): ContinuedMessage {
  const wanted = given.get('continue_final_message') ?? null
  given.delete('continue_final_message')
  if (!isTrue(wanted)) return { variables: given, cut: (prompt) => prompt }
  const { source } = budget
  if (isTrue(given.get('add_generation_prompt') ?? null)) {
    throw engineError('template/cannot-continue', { source, reason: 'add_generation_prompt opens a new message' })
  }
  return markFinalMessage(given, { field: textOf(wanted) ?? 'content', source, budget })
}

function asEngineError(cause: unknown, source: string): EngineError {
  if (cause instanceof EngineError) return cause
  // The stack of JavaScript ended before our own count did.
  if (cause instanceof RangeError)
    return engineError('template/limit-exceeded', { source, what: 'the depth of its nesting', max: MAX_DEPTH }, cause)
  const reason = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause)
  return engineError('template/failed', { source, reason }, cause)
}

const FILTERS: ReadonlyMap<string, Filter> = new Map([...TEXT_FILTERS, ...ITEM_FILTERS])

function createRuntime(budget: Budget): Runtime {
  const runtime: Runtime = {
    ...createReach(budget),
    hasFilter: (name) => FILTERS.has(name),
    hasTest: (name) => TESTS.has(name),
    filter: (name, value, args): Value => {
      const filter = FILTERS.get(name)
      if (!filter) throw new PythonError('TemplateRuntimeError', `No filter named '${name}'.`)
      return budget.nested(() => filter(value, args, runtime))
    },
    test: (name, value, args): boolean => {
      const test = TESTS.get(name)
      if (!test) throw new PythonError('TemplateRuntimeError', `No test named '${name}'.`)
      return test(value, args, runtime)
    },
  }
  return runtime
}
