// The views that the rail leads to.

/** Name of a view. */
export type ViewName = 'chat' | 'models' | 'convert' | 'devices' | 'settings'
