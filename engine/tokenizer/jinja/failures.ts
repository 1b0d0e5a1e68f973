// How a template fails: in its text (a line is known) or, while it runs, with an exception of Python's.

/** The text of a template does not compile. */
export class TemplateSyntaxError extends Error {
  readonly line: number

  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

/** Exceptions of Python and of Jinja that are told apart by what catches them. */
export type PythonErrorKind =
  | 'TypeError'
  | 'ValueError'
  | 'IndexError'
  | 'KeyError'
  | 'OverflowError'
  | 'ZeroDivisionError'
  | 'UndefinedError'
  | 'SecurityError'
  | 'StopIteration'
  | 'FilterArgumentError'
  | 'TemplateRuntimeError'

/** An exception that Python would raise. */
export class PythonError extends Error {
  readonly kind: PythonErrorKind

  constructor(kind: PythonErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** A TypeError of Python. */
export function typeError(message: string): PythonError {
  return new PythonError('TypeError', message)
}

/** A ValueError of Python. */
export function valueError(message: string): PythonError {
  return new PythonError('ValueError', message)
}
