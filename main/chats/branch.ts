// The message tree of a chat: alternatives share a parent, a branch is the way from the first message to a leaf. Pure.
import type { MessageNode } from './rows'

/** Ids from the first message down to `leafId`. Empty when the id is null or unknown. */
export function pathTo(nodes: readonly MessageNode[], leafId: string | null): readonly string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const path: string[] = []
  let node = leafId === null ? undefined : byId.get(leafId)
  // A path cannot be longer than the tree: a parent cycle in a damaged file ends here.
  while (node !== undefined && path.length < nodes.length) {
    path.push(node.id)
    node = node.parentId === null ? undefined : byId.get(node.parentId)
  }
  return path.reverse()
}

/** Ids of every message's alternatives, itself included, in order of creation. `nodes` are in that order. */
export function siblingsById(nodes: readonly MessageNode[]): ReadonlyMap<string, readonly string[]> {
  const byParent = new Map<string | null, string[]>()
  for (const { id, parentId } of nodes) {
    const siblings = byParent.get(parentId)
    if (siblings === undefined) byParent.set(parentId, [id])
    else siblings.push(id)
  }
  return new Map(nodes.map(({ id, parentId }) => [id, byParent.get(parentId) ?? [id]]))
}

/** The leaf that is reached from `id` by always taking the newest answer. */
export function newestLeafUnder(nodes: readonly MessageNode[], id: string): string {
  const newestChild = new Map<string, string>()
  for (const node of nodes) if (node.parentId !== null) newestChild.set(node.parentId, node.id)
  let leaf = id
  for (let depth = 0; depth < nodes.length; depth++) {
    const child = newestChild.get(leaf)
    if (child === undefined) break
    leaf = child
  }
  return leaf
}
