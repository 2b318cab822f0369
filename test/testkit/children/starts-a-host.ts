/** Starts a host, tells its process id, and waits to be killed. */
import { TestHost } from '../../../src/testkit/index.js'

const host = await TestHost.start({ path: process.argv[2] as string, maxLifetimeMs: 60_000 })
process.send?.({ pid: host.pid })
