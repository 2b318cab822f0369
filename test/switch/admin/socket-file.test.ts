/** Who may come near the admin socket, and when. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { listenAt } from '../../../src/switch/admin/socket-file.js'
import { Child } from '../../support/child.js'
import { socketFolder } from '../../support/loopback.js'

const LIMIT = { timeout: 120_000 }
const HOLDER = new URL('./socket-holder.js', import.meta.url)

function newServer(): Server & Disposable {
  const server = createServer((socket) => socket.on('error', () => {}).end('own'))
  return Object.assign(server, { [Symbol.dispose]: () => void server.close() })
}

const bits = (path: string) => statSync(path).mode & 0o777

test('it has its mode, whatever the umask, and so has a folder made for it', LIMIT, async () => {
  using folder = socketFolder()
  for (const [umask, mode] of [
    [0o000, 0o600],
    [0o777, 0o660],
  ] as const) {
    using server = newServer()
    const before = process.umask(umask)
    const path = `${folder.path}/${mode}/deep/admin.sock`
    try {
      if (umask === 0o777) mkdirSync(`${folder.path}/${mode}/deep`, { recursive: true })
    } finally {
      process.umask(before)
    }
    process.umask(umask === 0o777 ? 0o027 : umask)
    try {
      const remove = await listenAt(server, path, mode)
      assert.equal(bits(path), mode)
      if (umask === 0) assert.equal(bits(`${folder.path}/${mode}/deep`), 0o700)
      assert.deepEqual(readdirSync(`${folder.path}/${mode}/deep`), ['admin.sock'])
      await remove()
      assert.ok(!existsSync(path))
    } finally {
      process.umask(before)
    }
  }
})

test('it is at no moment open wider than its mode', LIMIT, async () => {
  using folder = socketFolder()
  const path = `${folder.path}/admin.sock`
  const seen = new Set<number>()
  const look = () => {
    for (const name of readdirSync(folder.path)) {
      try {
        const stat = statSync(`${folder.path}/${name}`)
        // A private folder shields what is in it; everything else is looked at itself.
        seen.add(stat.isDirectory() ? stat.mode & 0o077 : stat.mode & 0o177)
      } catch {}
    }
  }
  using watcher = Object.assign(watch(folder.path, look), {
    [Symbol.dispose]: () => watcher.close(),
  })
  const before = process.umask(0)
  try {
    for (let i = 0; i < 20; i++) {
      using server = newServer()
      const started = listenAt(server, path, 0o600)
      const tick = setInterval(look)
      const remove = await started
      look()
      clearInterval(tick)
      await remove()
    }
  } finally {
    process.umask(before)
  }
  assert.deepEqual([...seen], [0])
})

test('what a dead process left is replaced, a live one refused', LIMIT, async () => {
  using folder = socketFolder()
  const path = `${folder.path}/admin.sock`
  await using child = new Child(HOLDER, [path])
  assert.equal(await child.message(), 'listening')
  const refused = { code: 'ERR_SOCKET_IN_USE', message: new RegExp(`${path}; stop it`) }
  using server = newServer()
  await assert.rejects(listenAt(server, path, 0o600), refused)
  assert.deepEqual(readdirSync(folder.path), ['admin.sock'])

  child.process.kill('SIGKILL')
  await child.ended
  assert.ok(existsSync(path))
  using second = newServer()
  const remove = await listenAt(second, path, 0o600)
  assert.deepEqual(readdirSync(folder.path), ['admin.sock'])
  await remove()
})

test('of many that start at once on a stale socket, one gets it', LIMIT, async () => {
  using folder = socketFolder()
  const path = `${folder.path}/admin.sock`
  await using child = new Child(HOLDER, [path])
  await child.message()
  child.process.kill('SIGKILL')
  await child.ended
  const servers = Array.from({ length: 8 }, newServer)
  const results = await Promise.allSettled(servers.map((server) => listenAt(server, path, 0o600)))
  for (const server of servers) server.close()
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(result.reason.code, 'ERR_SOCKET_IN_USE')
  }
})

test('what is no socket is left alone', LIMIT, async () => {
  using folder = socketFolder()
  const file = `${folder.path}/file`
  writeFileSync(file, 'precious')
  const link = `${folder.path}/link`
  symlinkSync(file, link)
  for (const path of [file, link]) {
    using server = newServer()
    await assert.rejects(listenAt(server, path, 0o600), { code: 'ERR_PATH_NOT_SOCKET' })
    assert.ok(existsSync(path))
  }
})

test('a path that is too long, or leads nowhere, is named', LIMIT, async () => {
  using folder = socketFolder()
  writeFileSync(`${folder.path}/file`, '')
  for (const path of [`${folder.path}/${'x'.repeat(100)}`, `${folder.path}/file/admin.sock`]) {
    using server = newServer()
    await assert.rejects(listenAt(server, path, 0o600), (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_SOCKET_LISTEN')
      assert.ok(error.message.includes(path), error.message)
      assert.match(error.message, /; give another one by --socket/)
      return true
    })
  }
})

test('a path as long as a socket may have works', LIMIT, async () => {
  using folder = socketFolder()
  const path = `${folder.path}/${'x'.repeat(107 - folder.path.length - 1)}`
  using server = newServer()
  const remove = await listenAt(server, path, 0o600)
  assert.equal(bits(path), 0o600)
  await remove()
})

test("another process's socket is not removed at the end", LIMIT, async () => {
  using folder = socketFolder()
  const path = `${folder.path}/admin.sock`
  const first = newServer()
  const remove = await listenAt(first, path, 0o600)
  first.close()
  using second = newServer()
  await listenAt(second, path, 0o600)
  await remove()
  assert.ok(existsSync(path))
})
