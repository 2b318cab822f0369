/**
 * The entry point of a Worker that is an lcore, in the bundle: in CommonJS, so that Node.js need not start its loader of
 * modules for the programs that are a part of the script.
 */
import url = require('node:url')
import lcore = require('./lcore.cjs')

const at = `${url.pathToFileURL(__dirname).href}/`

lcore.runWorker(async (url) => {
  const name = url.startsWith(at) ? `./${url.slice(at.length)}` : url
  const made = Object.hasOwn(lcore.programs, name) ? lcore.programs[name] : undefined
  return made === undefined ? await import(url) : { default: made }
})
