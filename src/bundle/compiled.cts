const fs = process.getBuiltinModule('node:fs')
const vm = process.getBuiltinModule('node:vm')

/** Only for the version of Node.js that made it; any other compiles the script. */
function codeCache(file: string): Buffer | undefined {
  try {
    return fs.readFileSync(`${file}.${process.version}-${process.arch}`)
  } catch {
    return undefined
  }
}

/** The function that is a script of the bundle, with what V8 made of it when the package was built. */
export = (file: string): ((...given: unknown[]) => unknown) => {
  const cachedData = codeCache(file)
  const script = new vm.Script(fs.readFileSync(file, 'latin1'), {
    filename: file,
    ...(cachedData && { cachedData }),
  })
  return script.runInThisContext() as (...given: unknown[]) => unknown
}
