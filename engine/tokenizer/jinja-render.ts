// Renders a compiled chat template with @huggingface/jinja 0.5.11: its variables, the functions Transformers gives it, and its failures.
import { Environment, Interpreter } from '@huggingface/jinja'
import { EngineError, engineError } from '../errors'
import type { JinjaProgram } from './jinja-compile'
import { textOf } from './jinja-python'
import { runWithin } from './time-limit'
import { createEvaluator, MAX_STEPS, rolesOf } from './jinja-evaluator'

/** Templates count messages and tools, never more. */
export const MAX_RANGE = 100_000
/** A thousand messages take a few hundred milliseconds. */
const MAX_RENDER_MS = 1800

export interface RenderOptions {
  readonly source: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly strftimeNow: (format: string) => string
  /** MAX_STEPS by default. */
  readonly maxSteps?: number | undefined
}

/**
 * Renders the template. Throws "template/raised" when it calls raise_exception, "template/limit-exceeded", and "template/failed" for
 * every other failure of the template.
 */
export function renderTemplate(program: JinjaProgram, options: RenderOptions): string {
  const { source } = options
  try {
    const interpreter = createInterpreter(program, options)
    return runWithin(() => textOf(interpreter.run(program)), {
      maxMs: MAX_RENDER_MS,
      onTimeout: () => engineError('template/limit-exceeded', { source, what: 'its time in milliseconds', max: MAX_RENDER_MS }),
    })
  } catch (cause) {
    if (cause instanceof EngineError) throw cause
    throw engineError(
      'template/failed',
      { source, reason: cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause) },
      cause,
    )
  }
}

function createInterpreter(program: JinjaProgram, options: RenderOptions): Interpreter {
  const { source } = options
  const scope = new Environment()
  const globals: Record<string, unknown> = {
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    range: boundedRange(source),
    raise_exception: (message: unknown) => {
      throw engineError('template/raised', { source, message: typeof message === 'string' ? message : JSON.stringify(message) })
    },
    strftime_now: options.strftimeNow,
  }
  for (const [name, value] of Object.entries({ ...globals, ...options.variables })) if (value !== undefined) scope.set(name, value)
  const interpreter = new Interpreter(scope)
  interpreter.evaluate = createEvaluator({
    source,
    roles: rolesOf(program),
    original: interpreter.evaluate.bind(interpreter),
    maxSteps: options.maxSteps ?? MAX_STEPS,
  })
  return interpreter
}

function boundedRange(source: string): (...bounds: number[]) => number[] {
  return (first: number, second?: number, step = 1) => {
    const [start, stop] = second === undefined ? [0, first] : [first, second]
    const count = Math.max(0, Math.ceil((stop - start) / step))
    if (!(count <= MAX_RANGE)) throw engineError('template/limit-exceeded', { source, what: 'the length of a range', max: MAX_RANGE })
    return Array.from({ length: count }, (_, index) => start + index * step)
  }
}
