// Reader of HDF5 files, as Keras and h5py write them: datasets become tensors named by their path, texts of groups become metadata.
import { openRandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import { createCheckpoint, type ComputeRange } from '../tensor-files'
import type { Checkpoint, TensorInfo } from '../types'
import { createWholeTensors } from '../whole-tensor'
import { readAttributes } from './attributes'
import { readDataset } from './dataset'
import { readLinks } from './groups'
import { MESSAGE, readObjectHeader } from './object-header'
import type { Hdf5Source } from './source'
import { readSuperblock } from './superblock'
import { countSome, note, type Note } from '../../notes'

/** Groups and datasets of one file: a Keras model of 10,000 layers with optimizer has some 60,000. */
const MAX_OBJECTS = 500_000
/** Groups in groups; Keras repeats a layer's path inside its group and stays below twenty. */
const MAX_DEPTH = 64
/** All texts together, so that metadata cannot fill memory. */
const MAX_METADATA_BYTES = 32 * 1024 * 1024

interface PendingObject {
  readonly path: string
  readonly address: number
  readonly depth: number
}

/** What the walk over the groups gathers. */
interface Content {
  readonly tensors: Map<string, TensorInfo>
  readonly computed: Map<string, ComputeRange>
  readonly metadata: Map<string, string>
  readonly notes: Note[]
}

/** What is left out for another reason than the type of its values. */
const NO_TYPES: Readonly<Record<string, 'checkpoint/left-out-link' | 'checkpoint/left-out-repeated' | 'checkpoint/left-out-no-data'>> = {
  'symbolic link': 'checkpoint/left-out-link',
  'group seen before': 'checkpoint/left-out-repeated',
  'no data': 'checkpoint/left-out-no-data',
}

function addNote(counts: Map<string, string[]>, what: string, name: string): void {
  const names = counts.get(what)
  if (names) names.push(name)
  else counts.set(what, [name])
}

async function walk(source: Hdf5Source, rootAddress: number, signal?: AbortSignal): Promise<Content> {
  const path = source.file.path
  const content: Content = { tensors: new Map(), computed: new Map(), metadata: new Map(), notes: [] }
  const wholeTensor = createWholeTensors()
  const leftOut = new Map<string, string[]>()
  const groups = new Set<number>()
  let objects = 0
  let metadataBytes = 0
  const pending: PendingObject[] = [{ path: '', address: rootAddress, depth: 0 }]
  for (let object = pending.pop(); object; object = pending.pop()) {
    if (signal?.aborted) throw engineError('runtime/aborted', { what: `Reading ${path}` })
    if (++objects > MAX_OBJECTS) throw engineError('checkpoint/too-many-tensors', { path, count: objects, max: MAX_OBJECTS })
    const messages = await readObjectHeader(source, object.address)
    if (messages.some(({ type }) => type === MESSAGE.dataspace)) {
      const dataset = await readDataset(source, object.path, messages)
      if (dataset.kind === 'other') addNote(leftOut, dataset.what, object.path)
      else {
        content.tensors.set(object.path, dataset.info)
        if (dataset.make) content.computed.set(object.path, wholeTensor(dataset.info.sizeBytes, dataset.make))
      }
      continue
    }
    // A committed datatype is neither group nor data.
    if (messages.some(({ type }) => type === MESSAGE.datatype)) continue
    // A group under two names, or inside itself, is read once.
    if (groups.has(object.address)) {
      addNote(leftOut, 'group seen before', object.path)
      continue
    }
    groups.add(object.address)
    if (object.depth > MAX_DEPTH) throw engineError('checkpoint/hdf5-too-complex', { path, what: 'levels of groups', max: MAX_DEPTH })
    for (const { name, value } of await readAttributes(source, messages)) {
      if (value === null) continue
      metadataBytes += name.length + value.length
      if (metadataBytes > MAX_METADATA_BYTES)
        throw engineError('checkpoint/hdf5-too-complex', { path, what: 'bytes of attributes', max: MAX_METADATA_BYTES })
      content.metadata.set(object.path === '' ? name : `${object.path}/${name}`, value)
    }
    const prefix = object.path === '' ? '' : `${object.path}/`
    // By name, as h5py goes through them: heaps of links are in the order of a hash. The last one is taken first.
    const links = [...(await readLinks(source, messages))].sort((left, right) => (left.name < right.name ? 1 : -1))
    for (const link of links) {
      if (link.address === null) addNote(leftOut, 'symbolic link', prefix + link.name)
      else pending.push({ path: prefix + link.name, address: link.address, depth: object.depth + 1 })
    }
  }
  for (const [what, names] of leftOut) {
    const code = NO_TYPES[what]
    content.notes.push(
      code === undefined ? note('checkpoint/left-out-type', { ...countSome(names), type: what }) : note(code, countSome(names)),
    )
  }
  return content
}

/**
 * Opens an HDF5 file; only its structures are read. Texts and other values that are no numbers are left out with a note.
 * Throws "checkpoint/hdf5-malformed", "checkpoint/hdf5-too-complex", "checkpoint/hdf5-inflated", "checkpoint/too-many-tensors"; reading a tensor may throw "checkpoint/hdf5-unsupported", "checkpoint/hdf5-damaged-chunk".
 */
export async function openHdf5(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<Checkpoint> {
  using file = await openRandomAccessFile(path)
  const { source, rootAddress } = await readSuperblock(file, options)
  const content = await walk(source, rootAddress, options.signal)
  return createCheckpoint({
    format: 'hdf5',
    files: [{ path: file.path, sizeBytes: file.sizeBytes }],
    tensors: content.tensors,
    computed: content.computed,
    metadata: Object.fromEntries(content.metadata),
    notes: content.notes,
  })
}
