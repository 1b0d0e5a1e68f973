// What filters and tests are: functions of a value, its arguments and the one who runs the template.
import type { Reach } from './reach'
import type { Arguments, Value } from './values'

/** Filters and tests by name, as a filter that takes their names (map, select) needs them. */
export interface Runtime extends Reach {
  readonly filter: (name: string, value: Value, args: Arguments) => Value
  readonly test: (name: string, value: Value, args: Arguments) => boolean
  readonly hasFilter: (name: string) => boolean
  readonly hasTest: (name: string) => boolean
}

export type Filter = (value: Value, args: Arguments, runtime: Runtime) => Value
export type Test = (value: Value, args: Arguments, runtime: Runtime) => boolean
