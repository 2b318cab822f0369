import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  Datapath,
  type DatapathError,
  type Port,
  type VhostUserPortOptions,
} from '../../src/index.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'
import { ModeWatcher } from './mode-watcher.js'
import { GET_FEATURES, message } from './raw-peer.js'

let datapath: Datapath
let folder: ReturnType<typeof socketFolder>
let count = 0
const warnings: Error[] = []
const isRoot = process.getuid?.() === 0

before(async () => {
  process.on('warning', (warning: Error & { code?: string }) => {
    if (warning.code === 'DPDK_VHOST_SERVER_PORT') warnings.push(warning)
  })
  folder = socketFolder()
  datapath = await Datapath.open(SMALL)
})
after(async () => {
  await datapath.close()
  folder[Symbol.dispose]()
})

const fresh = () => join(folder.path, `${count++}`)

function server(path: string, rest: Partial<VhostUserPortOptions> = {}): Promise<Port> {
  return datapath.addPort({ name: `p${count++}`, type: 'dpdkvhostuser', path, ...rest })
}

const permissions = (path: string) => (lstatSync(path).mode & 0o7777).toString(8)

describe('the socket', () => {
  test('has the mode that the umask leaves, or the one given', async () => {
    const paths = [fresh(), fresh(), fresh()] as const
    await using _a = await server(paths[0])
    assert.equal(permissions(paths[0]), (0o777 & ~process.umask()).toString(8))
    await using _b = await server(paths[1], { mode: 0o600 })
    assert.equal(permissions(paths[1]), '600')
    await using _c = await server(paths[2], { mode: '0666' })
    assert.equal(permissions(paths[2]), '666')
  })

  test('is nobody’s to connect to before it has its mode', async () => {
    const path = fresh()
    const before = process.umask()
    await using watcher = await ModeWatcher.start(path)
    for (let round = 0; round < 200; round++) await (await server(path, { mode: 0o640 })).remove()
    assert.deepEqual(
      (await watcher.seen()).filter((mode) => mode !== '0' && mode !== '640'),
      [],
    )
    // The process's own umask stays as it was: files that other threads make meanwhile are not affected.
    assert.equal(process.umask(), before)
  })

  test('has the owner given, by name or number', { skip: !isRoot && 'takes root' }, async () => {
    const [byName, byNumber] = [fresh(), fresh()]
    await using _a = await server(byName, { uid: 'nobody', gid: 'nogroup', mode: 0o660 })
    const { uid, gid } = statSync(byName)
    assert.equal(spawnSync('id', ['-u', 'nobody']).stdout.toString().trim(), String(uid))
    assert.equal(spawnSync('id', ['-g', 'nobody']).stdout.toString().trim(), String(gid))
    assert.equal(permissions(byName), '660')
    await using _b = await server(byNumber, { uid: 1234, gid: '2345' })
    assert.equal(statSync(byNumber).uid, 1234)
    assert.equal(statSync(byNumber).gid, 2345)
  })

  test('with an owner that this host does not know is refused, and nothing is left', async () => {
    const path = fresh()
    await assert.rejects(server(path, { uid: 'no-such-user-here' }), (error: DatapathError) => {
      assert.equal(error.code, 'ERR_SOCKET_OWNER')
      assert.match(error.message, /uid 'no-such-user-here'.*no user of that name.*number/)
      return true
    })
    assert.equal(existsSync(path), false)
    await using _ = await server(path)
  })

  test('in a folder that is to be created', async () => {
    const base = fresh()
    const path = join(base, 'run', 'vhost', 'sock')
    await assert.rejects(server(path), /folder .* does not exist .*createFolder: true/s)
    await using _ = await server(path, { createFolder: true })
    assert.ok(lstatSync(path).isSocket())
  })

  test('is gone when the port is', async () => {
    const path = fresh()
    const port = await server(path)
    await port.remove()
    assert.equal(existsSync(path), false)
  })
})

describe('what is at the path already', () => {
  test('a stale socket is replaced', async () => {
    const path = fresh()
    const dead = createServer().listen(`${path}.live`)
    await once(dead, 'listening')
    renameSync(`${path}.live`, path)
    dead.close()
    await once(dead, 'close')
    assert.ok(lstatSync(path).isSocket())
    await using port = await server(path)
    assert.equal(port.status.state, 'listening')
  })

  test('a live one is never stolen', async () => {
    const path = fresh()
    const live = createServer().listen(path)
    await once(live, 'listening')
    await assert.rejects(server(path), (error: DatapathError) => error.code === 'ERR_SOCKET_IN_USE')
    const caller = connect(path)
    await once(caller, 'connect')
    caller.destroy()
    live.close()
  })

  test('what is no socket is never removed', async () => {
    const path = fresh()
    writeFileSync(path, 'precious')
    await assert.rejects(server(path), /not a socket/)
    assert.ok(lstatSync(path).isFile())
  })

  test('what somebody else put there meanwhile stays when the port goes', async () => {
    const path = fresh()
    const port = await server(path)
    rmSync(path)
    const other = createServer().listen(path)
    await once(other, 'listening')
    await port.remove()
    const caller = connect(path)
    await once(caller, 'connect')
    caller.destroy()
    other.close()
  })
})

test('the first connection is served at once, and its end is heard at once', async () => {
  // librte's own thread looks at its sockets once a second; a round would take as long on average.
  const took: number[] = []
  for (let round = 0; round < 11; round++) {
    const begun = performance.now()
    const path = fresh()
    const port = await server(path)
    const caller = connect(path)
    caller.write(message(GET_FEATURES))
    await once(caller, 'data')
    const heard = once(caller, 'close')
    await port.remove()
    await heard
    took.push(performance.now() - begun)
  }
  const median = took.toSorted((a, b) => a - b)[5] as number
  assert.ok(median < 400, `${median} ms`)
})

test('a peer that keeps hanging up is explained', async () => {
  const path = fresh()
  await using port = await server(path)
  for (let round = 1; round <= 3; round++) {
    const caller = connect(path)
    caller.write(message(GET_FEATURES))
    await once(caller, 'data')
    caller.destroy()
    await until('noticed', () => {
      const { state, generation } = port.status
      return state === 'listening' && generation === round
    })
  }
  assert.match(port.status.reason ?? '', /3 times in a row, after GET_FEATURES/)
})

test('that client mode is the one to use was said once', () => {
  assert.equal(warnings.length, 1)
  assert.match(String(warnings[0]), /cut off.*use dpdkvhostuserclient/)
})
