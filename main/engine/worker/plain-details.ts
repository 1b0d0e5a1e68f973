// An error's details as plain data: what crosses a process border must survive JSON.

/** The details with bigints as text and whatever JSON cannot hold left out. */
export function plainDetails(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const asJson: unknown = JSON.parse(JSON.stringify(details, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)))
  return typeof asJson === 'object' && asJson !== null ? { ...asJson } : {}
}
