// Error sentences of the checkpoint area: code -> details -> one English sentence that says what was found and what is allowed.
export const checkpointErrors = {
  'checkpoint/missing-shard': (d: { shard: string; directory: string }) =>
    `The index names the shard ${d.shard}, which is not in ${d.directory}.`,
  'checkpoint/unsafe-shard-path': (d: { path: string; shard: string }) =>
    `${d.path} names the shard "${d.shard}", which is not a plain file name inside the model's folder.`,
  'checkpoint/malformed-index': (d: { path: string; reason: string }) => `${d.path} is not a valid shard index: ${d.reason}.`,
  'checkpoint/tensor-not-in-shard': (d: { tensor: string; shard: string }) =>
    `The index says that tensor ${d.tensor} is in ${d.shard}, but neither that shard nor any other holds it.`,
  'checkpoint/tensor-in-two-shards': (d: { tensor: string; shards: readonly string[] }) =>
    `Tensor ${d.tensor} is in more than one shard: ${d.shards.join(', ')}.`,
  'checkpoint/unknown-tensor': (d: { tensor: string; count: number }) =>
    `The checkpoint has no tensor named ${d.tensor}; it has ${d.count} others.`,
  'checkpoint/range-outside-tensor': (d: { tensor: string; offsetBytes: number; sizeBytes: number; tensorBytes: number }) =>
    `Bytes ${d.offsetBytes} to ${d.offsetBytes + d.sizeBytes} were asked for, but tensor ${d.tensor} has ${d.tensorBytes}.`,
  'checkpoint/tensor-too-large': (d: { tensor: string; sizeBytes: number; maxBytes: number }) =>
    `Tensor ${d.tensor} has ${d.sizeBytes} bytes; at most ${d.maxBytes} can be read at once.`,
  'checkpoint/file-changed': (d: { path: string; expectedBytes: number; sizeBytes: number }) =>
    `${d.path} changed while it was open: it had ${d.expectedBytes} bytes and now has ${d.sizeBytes}.`,

  'checkpoint/empty-file': (d: { path: string }) => `${d.path} is empty.`,
  'checkpoint/html-page': (d: { path: string }) => `${d.path} is a web page, not a model: an error page was probably saved in its place.`,
  'checkpoint/compressed-archive': (d: { path: string; archive: string }) =>
    `${d.path} is a ${d.archive} archive, not a model; it has to be unpacked first.`,
  'checkpoint/lfs-pointer': (d: { path: string; realSizeBytes: number | null }) =>
    `${d.path} is only a Git LFS pointer${d.realSizeBytes === null ? '' : ` to a file of ${d.realSizeBytes} bytes`}; the weights themselves were not downloaded.`,
  'checkpoint/header-truncated': (d: { path: string; fileSizeBytes: number }) =>
    `${d.path} has ${d.fileSizeBytes} bytes; a safetensors file starts with an 8-byte header length and a header.`,
  'checkpoint/header-too-large': (d: { path: string; headerBytes: string; maxBytes: number }) =>
    `${d.path} announces a header of ${d.headerBytes} bytes; at most ${d.maxBytes} are allowed.`,
  'checkpoint/header-beyond-file': (d: { path: string; headerBytes: number; fileSizeBytes: number }) =>
    `${d.path} announces a header of ${d.headerBytes} bytes, but the whole file has ${d.fileSizeBytes}.`,
  'checkpoint/header-invalid-json': (d: { path: string; reason: string }) => `The header of ${d.path} is not valid JSON: ${d.reason}.`,
  'checkpoint/header-too-deep': (d: { path: string; maxDepth: number }) =>
    `The header of ${d.path} nests JSON deeper than ${d.maxDepth} levels.`,
  'checkpoint/duplicate-key': (d: { path: string; key: string }) => `The header of ${d.path} holds the key "${d.key}" twice.`,
  'checkpoint/malformed-header': (d: { path: string; tensor: string | null; reason: string }) =>
    `The header of ${d.path} is malformed${d.tensor === null ? '' : ` at tensor ${d.tensor}`}: ${d.reason}.`,
  'checkpoint/malformed-metadata': (d: { path: string; reason: string }) => `The __metadata__ of ${d.path} is malformed: ${d.reason}.`,
  'checkpoint/unknown-dtype': (d: { path: string; tensor: string; dtype: string }) =>
    `Tensor ${d.tensor} of ${d.path} has the dtype ${d.dtype}, which safetensors does not define.`,
  'checkpoint/negative-offset': (d: { path: string; tensor: string; startBytes: number; endBytes: number }) =>
    `Tensor ${d.tensor} of ${d.path} has the data offsets ${d.startBytes} to ${d.endBytes}; they must not be negative.`,
  'checkpoint/descending-offsets': (d: { path: string; tensor: string; startBytes: number; endBytes: number }) =>
    `Tensor ${d.tensor} of ${d.path} has the data offsets ${d.startBytes} to ${d.endBytes}; the second must not be below the first.`,
  'checkpoint/invalid-offsets': (d: { path: string; tensor: string; startBytes: number; endBytes: number }) =>
    `Tensor ${d.tensor} of ${d.path} has the data offsets ${d.startBytes} to ${d.endBytes}; they must be whole numbers below 2^53.`,
  'checkpoint/shape-overflow': (d: { path: string; tensor: string; shape: readonly number[] }) =>
    `Tensor ${d.tensor} of ${d.path} has the shape [${d.shape.join(', ')}], which is more elements than any file can hold.`,
  'checkpoint/size-mismatch': (d: {
    path: string
    tensor: string
    dtype: string
    shape: readonly number[]
    neededBytes: number | null
    foundBytes: number
  }) =>
    `Tensor ${d.tensor} of ${d.path} is ${d.dtype} [${d.shape.join(', ')}], which ${d.neededBytes === null ? 'does not fill whole bytes' : `needs ${d.neededBytes} bytes`}, but its data offsets span ${d.foundBytes}.`,
  'checkpoint/overlapping-tensors': (d: { path: string; tensor: string; otherTensor: string; startBytes: number; otherEndBytes: number }) =>
    `Tensor ${d.tensor} of ${d.path} starts at data byte ${d.startBytes}, inside tensor ${d.otherTensor}, which ends at ${d.otherEndBytes}.`,
  'checkpoint/gap-between-tensors': (d: { path: string; tensor: string; startBytes: number; expectedBytes: number }) =>
    `Tensor ${d.tensor} of ${d.path} starts at data byte ${d.startBytes}; the data before it ends at ${d.expectedBytes}, and safetensors allows no gap.`,
  'checkpoint/truncated-file': (d: { path: string; tensor: string; endBytes: number; fileSizeBytes: number }) =>
    `${d.path} is cut off: tensor ${d.tensor} ends at byte ${d.endBytes}, but the file has ${d.fileSizeBytes} bytes.`,
  'checkpoint/trailing-bytes': (d: { path: string; endBytes: number; fileSizeBytes: number }) =>
    `${d.path} holds bytes that belong to no tensor: the last tensor ends at byte ${d.endBytes}, the file at ${d.fileSizeBytes}.`,

  'checkpoint/unsafe-reference': (d: { path: string; reference: string }) =>
    `${d.path} refers to the file "${d.reference}", which does not lie in its own folder.`,
  'checkpoint/too-many-tensors': (d: { path: string; count: number; max: number }) =>
    `${d.path} announces ${d.count} tensors or groups; at most ${d.max} are read.`,
  'checkpoint/tensorflow-malformed': (d: { path: string; reason: string }) =>
    `${d.path} is not a valid TensorFlow checkpoint: ${d.reason}.`,
  'checkpoint/tensorflow-checksum': (d: { path: string; offsetBytes: number }) =>
    `${d.path} is damaged: the checksum of the block at byte ${d.offsetBytes} does not match.`,
  'checkpoint/tensorflow-tensor-checksum': (d: { path: string; tensor: string; offsetBytes: number }) =>
    `${d.path} is damaged: the checksum of ${d.tensor} at byte ${d.offsetBytes} does not match.`,
  'checkpoint/tensorflow-block-too-large': (d: { path: string; sizeBytes: number; maxBytes: number }) =>
    `${d.path} holds a block of ${d.sizeBytes} bytes; at most ${d.maxBytes} are allowed.`,
  'checkpoint/tensorflow-index-too-large': (d: { path: string; what: 'bytes' | 'entries'; max: number }) =>
    `The index ${d.path} holds more than ${d.max} ${d.what}.`,
  'checkpoint/tensorflow-too-many-slices': (d: { path: string; count: number; max: number; maxPerTensor: number }) =>
    `${d.path} splits its variables into ${d.count} parts or more; at most ${d.max} in all and ${d.maxPerTensor} per variable are read.`,
  'checkpoint/tensorflow-slices-incomplete': (d: { path: string; tensor: string; reason: string }) =>
    `The parts of ${d.tensor} in ${d.path} do not make up the whole variable: ${d.reason}.`,

  'checkpoint/not-pytorch': (d: { path: string; reason: string }) => `${d.path} is not a PyTorch checkpoint: ${d.reason}.`,
  'checkpoint/pickle-truncated': (d: { path: string; offsetBytes: number; neededBytes: number }) =>
    `The pickle in ${d.path} is cut off: ${d.neededBytes} more bytes are needed at byte ${d.offsetBytes}.`,
  'checkpoint/pickle-malformed': (d: { path: string; offsetBytes: number; reason: string }) =>
    `The pickle in ${d.path} is not valid at byte ${d.offsetBytes}: ${d.reason}.`,
  'checkpoint/pickle-limit': (d: { path: string; what: string; max: number }) =>
    `The pickle in ${d.path} has more than ${d.max} ${d.what}, which no checkpoint needs.`,
  'checkpoint/pickle-too-deep': (d: { path: string; maxDepth: number }) =>
    `The pickle in ${d.path} nests deeper than ${d.maxDepth} levels.`,
  'checkpoint/pickle-expands': (d: { path: string; maxValues: number }) =>
    `The values in ${d.path} contain each other so often that there are more than ${d.maxValues} of them.`,
  'checkpoint/pickle-call-refused': (d: { path: string; callable: string }) =>
    `The pickle in ${d.path} asks to call ${d.callable}, which loading weights never needs. Nothing was executed.`,
  'checkpoint/pickle-runs-command': (d: { path: string; callable: string }) =>
    `The pickle in ${d.path} asks to start a program through ${d.callable}. It is an attack, not a model. Nothing was executed.`,
  'checkpoint/pickle-runs-code': (d: { path: string; callable: string }) =>
    `The pickle in ${d.path} asks to run code through ${d.callable}. It is an attack, not a model. Nothing was executed.`,
  'checkpoint/pickle-reaches-inside': (d: { path: string; callable: string }) =>
    `The pickle in ${d.path} asks to reach into Python's own objects through ${d.callable}, from where any code can be run. Nothing was executed.`,
  'checkpoint/pickle-opens-files': (d: { path: string; callable: string }) =>
    `The pickle in ${d.path} asks to open files through ${d.callable}. It is an attack, not a model. Nothing was opened.`,
  'checkpoint/pickle-runs-network': (d: { path: string; callable: string }) =>
    `The pickle in ${d.path} asks to connect to the network through ${d.callable}. It is an attack, not a model. Nothing was connected.`,
  'checkpoint/pickle-instance-refused': (d: { path: string; class: string }) =>
    `The pickle in ${d.path} asks to make an object of ${d.class}, which loading weights never needs. Nothing was executed.`,
  'checkpoint/pickle-build-refused': (d: { path: string; target: string; what: string }) =>
    `The pickle in ${d.path} asks to set ${d.what} on ${d.target}, which loading weights never needs. Nothing was executed.`,
  'checkpoint/pickle-global-refused': (d: { path: string; global: string }) =>
    `The pickle in ${d.path} names ${d.global}, which loading weights never needs. Nothing was executed.`,
  'checkpoint/pickle-extension-refused': (d: { path: string; extension: number }) =>
    `The pickle in ${d.path} uses the registered extension ${d.extension}, whose meaning only the program that wrote it knows.`,
  'checkpoint/pickle-persistent-id': (d: { path: string }) =>
    `The pickle in ${d.path} refers to data outside of it that are no tensor storage.`,
  'checkpoint/malformed-tensor': (d: { path: string; reason: string }) => `A tensor in ${d.path} is described wrongly: ${d.reason}.`,
  'checkpoint/storage-missing': (d: { path: string; storage: string }) =>
    `${d.path} does not hold the storage ${d.storage} that its tensors lie in.`,
  'checkpoint/storage-too-short': (d: { path: string; storage: string; neededBytes: number; foundBytes: number }) =>
    `The storage ${d.storage} in ${d.path} should have ${d.neededBytes} bytes, but has ${d.foundBytes}.`,
  'checkpoint/view-outside-storage': (d: { path: string; tensor: string; neededElements: number; storageElements: number }) =>
    `Tensor ${d.tensor} of ${d.path} reaches to element ${d.neededElements} of a storage that has ${d.storageElements}.`,
  'checkpoint/duplicate-tensor': (d: { path: string; tensor: string }) => `${d.path} holds the tensor ${d.tensor} twice.`,
  'checkpoint/no-optimizer': (d: { path: string }) => `${d.path} holds no state of an optimizer beside its model.`,
  'checkpoint/no-tensors': (d: { path: string }) => `${d.path} can be read, but there are no tensors in it.`,
  'checkpoint/hdf5-malformed': (d: { path: string; offsetBytes: number; reason: string }) =>
    `${d.path} is not a valid HDF5 file (byte ${d.offsetBytes}): ${d.reason}.`,
  'checkpoint/hdf5-too-complex': (d: { path: string; what: string; max: number }) => `${d.path} has more than ${d.max} ${d.what}.`,
  'checkpoint/hdf5-unsupported': (d: { path: string; object: string; what: string }) =>
    `${d.object} in ${d.path} uses ${d.what}, which cannot be read.`,
  'checkpoint/hdf5-inflated': (d: { path: string; tensor: string; sizeBytes: number; fileSizeBytes: number }) =>
    `Tensor ${d.tensor} of ${d.path} claims ${d.sizeBytes} bytes, more than a file of ${d.fileSizeBytes} bytes can hold even compressed.`,
  'checkpoint/hdf5-damaged-chunk': (d: { path: string; tensor: string; offsetBytes: number }) =>
    `A chunk of tensor ${d.tensor} at byte ${d.offsetBytes} of ${d.path} is damaged.`,
  'checkpoint/flax-malformed': (d: { path: string; offsetBytes: number; reason: string }) =>
    `${d.path} is not a valid Flax file (byte ${d.offsetBytes}): ${d.reason}.`,
  'checkpoint/flax-too-deep': (d: { path: string; maxDepth: number }) => `${d.path} nests maps deeper than ${d.maxDepth} levels.`,
  'checkpoint/numpy-malformed': (d: { path: string; tensor: string; reason: string }) =>
    `The array ${d.tensor} in ${d.path} is not valid: ${d.reason}.`,
  'checkpoint/numpy-header-too-large': (d: { path: string; tensor: string; headerBytes: number; maxBytes: number }) =>
    `The array ${d.tensor} in ${d.path} announces a header of ${d.headerBytes} bytes; at most ${d.maxBytes} are allowed.`,
  'checkpoint/numpy-object-array': (d: { path: string; tensor: string }) =>
    `The array ${d.tensor} in ${d.path} holds Python objects. They are stored as a pickle, which can run code, and are not opened.`,
  'checkpoint/numpy-record-array': (d: { path: string; tensor: string }) =>
    `The array ${d.tensor} in ${d.path} holds records of several fields, not numbers.`,
  'checkpoint/onnx-nested-data': (d: { path: string }) =>
    `${d.path} keeps data of a node in another file; only the weights of the graph itself may lie outside of it.`,
  'checkpoint/onnx-no-variant': (d: { directory: string; format: string; available: readonly string[] }) =>
    `${d.directory} has no ONNX model in the format ${d.format}; it has ${d.available.join(', ')}.`,
  'checkpoint/onnx-malformed': (d: { path: string; offsetBytes: number; reason: string }) =>
    `${d.path} is not a valid ONNX model (byte ${d.offsetBytes}): ${d.reason}.`,
  'checkpoint/hard-linked-reference': (d: { path: string; reference: string }) =>
    `${d.path} refers to the file "${d.reference}", which has a second name elsewhere on the disk and is not opened.`,

  'checkpoint/llama2c-header': (d: { path: string; reason: string }) =>
    `The header of the llama2.c export ${d.path} is not valid: ${d.reason}.`,
  'checkpoint/llama2c-size': (d: { path: string; expectedBytes: number; sizeBytes: number }) =>
    `The llama2.c export ${d.path} has ${d.sizeBytes} bytes; the counts in its header make ${d.expectedBytes}.`,

  'checkpoint/no-weights': (d: { directory: string }) =>
    `There are no weights in ${d.directory}: no .safetensors file and no other checkpoint.`,
  'checkpoint/ambiguous-weights': (d: { directory: string; files: readonly string[] }) =>
    `${d.directory} holds several weight files and no index that says which belong together: ${d.files.join(', ')}.`,
  'checkpoint/unsupported-format': (d: { path: string; found: readonly { readonly file: string; readonly format: string }[] }) =>
    `${d.path} holds weights in a format that cannot be opened yet: ${d.found.map((entry) => `${entry.file} (${entry.format})`).join(', ')}.`,
  'checkpoint/unsupported-weight-dtype': (d: { path: string; dtype: string; supported: readonly string[] }) =>
    `The weights of ${d.path} are ${d.dtype}, which cannot be run yet; supported are ${d.supported.join(', ')}.`,
  'checkpoint/undecodable-dtype': (d: { dtype: string }) => `Values of dtype ${d.dtype} cannot be shown as numbers.`,
  'checkpoint/unknown-format': (d: { path: string }) => `${d.path} is not a checkpoint of a known format.`,

  'checkpoint/gguf-magic': (d: { path: string }) => `${d.path} does not start with "GGUF".`,
  'checkpoint/gguf-version': (d: { path: string; version: number }) =>
    `${d.path} is GGUF version ${d.version}; versions 2 and 3 can be read.`,
  'checkpoint/gguf-truncated-header': (d: {
    path: string
    what: string
    offsetBytes: number
    neededBytes: number
    availableBytes: number
  }) =>
    `${d.path} is cut off in its header: ${d.what} needs ${d.neededBytes} bytes at byte ${d.offsetBytes}, but only ${d.availableBytes} remain.`,
  'checkpoint/gguf-header-too-large': (d: { path: string; maxBytes: number }) =>
    `The header of ${d.path} is longer than the ${d.maxBytes} bytes that are allowed.`,
  'checkpoint/gguf-too-many': (d: { path: string; what: string; found: string; max: number }) =>
    `${d.path} announces ${d.found} ${d.what}; at most ${d.max} are allowed.`,
  'checkpoint/gguf-string-too-long': (d: { path: string; what: string; sizeBytes: string; maxBytes: number }) =>
    `${d.what} in ${d.path} has ${d.sizeBytes} bytes; at most ${d.maxBytes} are allowed.`,
  'checkpoint/gguf-too-many-dimensions': (d: { path: string; tensor: string; dimensions: number; maxDimensions: number }) =>
    `Tensor ${d.tensor} of ${d.path} has ${d.dimensions} dimensions; at most ${d.maxDimensions} are allowed.`,
  'checkpoint/gguf-array-too-deep': (d: { path: string; key: string; maxDepth: number }) =>
    `The value of ${d.key} in ${d.path} nests arrays deeper than ${d.maxDepth} levels.`,
  'checkpoint/gguf-unknown-value-type': (d: { path: string; key: string; type: number }) =>
    `The value of ${d.key} in ${d.path} has the type ${d.type}, which GGUF does not define.`,
  'checkpoint/gguf-unknown-tensor-type': (d: { path: string; tensor: string; type: number }) =>
    `Tensor ${d.tensor} of ${d.path} has the ggml type ${d.type}, which is unknown or was withdrawn.`,
  'checkpoint/gguf-partial-block': (d: { path: string; tensor: string; type: string; rowElements: number; blockElements: number }) =>
    `Tensor ${d.tensor} of ${d.path} has rows of ${d.rowElements} elements, which are not whole ${d.type} blocks of ${d.blockElements}.`,
  'checkpoint/gguf-bad-alignment': (d: { path: string; found: string }) =>
    `The alignment of ${d.path} is ${d.found}; it must be a power of two, stored as a 32-bit number.`,
  'checkpoint/gguf-unaligned-tensor': (d: { path: string; tensor: string; offsetBytes: string; alignmentBytes: number }) =>
    `Tensor ${d.tensor} of ${d.path} starts at data byte ${d.offsetBytes}, which is not a multiple of the alignment ${d.alignmentBytes}.`,
  'checkpoint/gguf-invalid-name': (d: { path: string; what: string }) => `${d.what} in ${d.path} is empty or not UTF-8 text.`,
  'checkpoint/gguf-missing-part': (d: { part: string; directory: string }) =>
    `The model is split into several files, and ${d.part} is not in ${d.directory}.`,
  'checkpoint/gguf-inconsistent-split': (d: { path: string; reason: string }) =>
    `${d.path} and the other parts of its split do not belong together: ${d.reason}.`,
  'checkpoint/gguf-big-endian-blocks': (d: { path: string; tensor: string; type: string }) =>
    `Tensor ${d.tensor} of ${d.path} holds ${d.type} blocks in big-endian order, for which no layout is defined.`,
  'checkpoint/packed-part-missing': (d: { tensor: string; scheme: string }) =>
    `The checkpoint has no tensor ${d.tensor}, which a model of the kind ${d.scheme} needs.`,
  'checkpoint/packed-part-dtype': (d: { tensor: string; scheme: string; found: string; allowed: readonly string[] }) =>
    `Tensor ${d.tensor} is ${d.found}; a model of the kind ${d.scheme} has ${d.allowed.join(' or ')} there.`,
  'checkpoint/packed-part-shape': (d: { tensor: string; found: readonly number[]; expected: string }) =>
    `Tensor ${d.tensor} of a quantized matrix has the shape [${d.found.join(', ')}]; expected is ${d.expected}.`,
  'checkpoint/packed-part-value': (d: { tensor: string; found: number | string; expected: string }) =>
    `Tensor ${d.tensor} of a quantized matrix holds ${d.found}; expected is ${d.expected}.`,
  'checkpoint/not-quantized': (d: { tensor: string }) => `The tensor ${d.tensor} is not stored in blocks that can be used as they are.`,
} satisfies Record<string, (details: never) => string>
