/** The process of who scrapes: see scraper.ts. */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { binding } from '../../src/native/binding.js'
import { schedstat } from '../schedstat.js'
import type { Scrape } from './result.js'
import type { ScraperReply, ScraperRequest, ScraperStart } from './scraper.js'

const { socket, pid, cpu } = JSON.parse(process.argv[2] as string) as ScraperStart
const send = (reply: ScraperReply) => process.send?.(reply)

// The bench is gone.
process.on('disconnect', () => process.exit(1))

binding.pinThread(cpu)
let scrapes: Scrape[] = []
let stopped = false
let underWay: Promise<void> = Promise.resolve()

process.on('message', async (asked: ScraperRequest) => {
  if (asked.kind === 'start') {
    stopped = false
    scrapes = []
    underWay = scrapeEvery(asked.everyMs, asked.count ?? Number.POSITIVE_INFINITY)
    if (asked.count === undefined) return
  } else stopped = true
  await underWay
  send({ kind: 'scrapes', scrapes })
})
send({ kind: 'started' })

async function scrapeEvery(everyMs: number, count: number): Promise<void> {
  while (!stopped && scrapes.length < count) {
    const begun = performance.now()
    scrapes.push(await scrape())
    await sleep(Math.max(0, everyMs - (performance.now() - begun)))
  }
}

async function scrape(): Promise<Scrape> {
  const [ranBefore, waitedBefore] = mainThread()
  const begun = performance.now()
  const bytes = await read()
  const took = performance.now() - begun
  const [ran, waited] = mainThread()
  return { took, ran: ran - ranBefore, waited: waited - waitedBefore, bytes }
}

/** @returns the length of the answer */
function read(): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, path: '/metrics', agent: false }, (response) => {
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(bytes)
        else reject(new Error(`the switch answered a scrape by ${response.statusCode}`))
      })
    })
    call.on('error', reject)
    call.end()
  })
}

/** Milliseconds that the main thread of the switch was on a CPU, and waited for one. */
function mainThread(): [ran: number, waited: number] {
  const [ran, waited] = schedstat(`/proc/${pid}/task/${pid}`)
  return [ran / 1e6, waited / 1e6]
}
