// Which internet sockets a process holds, from Linux's /proc: the proof that nothing phones home.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const TABLES = ['tcp', 'tcp6', 'udp', 'udp6'] as const
/** Loopback as /proc writes it: 127.x.x.x and ::1 in host byte order, IPv4-mapped loopback; all zeros is the peer of a listening socket. */
const LOOPBACK = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F|0{8}|0{32})$/

interface Row {
  readonly table: string
  readonly local: string
  readonly remote: string
}

function rowsByInode(pid: number): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>()
  for (const table of TABLES) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1)) {
      const [, local, remote, , , , , , , inode] = line.trim().split(/\s+/)
      if (local !== undefined && remote !== undefined && inode !== undefined) rows.set(inode, { table, local, remote })
    }
  }
  return rows
}

/** Sockets of a process that reach, or could reach, beyond this machine. */
export function outsideSockets(pid: number): readonly string[] {
  const rows = rowsByInode(pid)
  const found: string[] = []
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    let target: string
    try {
      target = readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      continue
    }
    const row = rows.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '')
    if (row === undefined) continue
    const [localAddress = ''] = row.local.split(':')
    const [remoteAddress = ''] = row.remote.split(':')
    const bindsEverywhere = /^0+$/.test(localAddress)
    if (bindsEverywhere || !LOOPBACK.test(localAddress) || !LOOPBACK.test(remoteAddress))
      found.push(`${row.table} ${row.local} ${row.remote}`)
  }
  return found
}
