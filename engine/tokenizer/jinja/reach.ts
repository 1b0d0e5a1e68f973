// What functions of a template may ask of the one who runs it: its budget, and attributes and items of values.
import type { Budget } from './budget'
import type { Value } from './values'

/** Attributes are looked for as `a.name`, items as `a[index]`; what is not there is undefined. */
export interface Reach {
  readonly budget: Budget
  readonly attributeOf: (object: Value, name: string) => Value
  readonly itemOf: (object: Value, index: Value) => Value
}
