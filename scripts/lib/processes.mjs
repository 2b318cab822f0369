// Looks at other processes through /proc, to stop those a test left behind.

import { readdirSync, readFileSync } from 'node:fs'

/** Pids of the direct children of a process. */
export function children(pid) {
  return processes()
    .filter((other) => other.parent === pid)
    .map((other) => other.pid)
}

/** Kills a process and everything below it, with no chance to object. */
export function killTree(pid) {
  const all = processes()
  const tree = [pid]
  // The list grows while it is walked.
  for (const parent of tree) {
    for (const other of all) if (other.parent === parent) tree.push(other.pid)
  }
  for (const member of tree) {
    try {
      process.kill(member, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
}

/** Live processes, other than this one, that were started with `NAME=value` in their environment. */
export function markedProcesses(mark) {
  return processes()
    .filter(({ pid, state }) => pid !== process.pid && state !== 'Z')
    .filter(({ pid }) => read(pid, 'environ').split('\0').includes(mark))
    .map(({ pid }) => ({ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }))
}

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .map((pid) => {
      // "pid (name) state parent ...", and the name may hold anything, even ") ".
      const [state, parent] = read(pid, 'stat')
        .replace(/^.*\) /s, '')
        .split(' ')
      return { pid, state, parent: Number(parent) }
    })
    .filter(({ parent }) => !Number.isNaN(parent))
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return '' // ended meanwhile, or another user's
  }
}
