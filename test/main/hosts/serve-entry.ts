// What `weightroom serve` does, without the command line around it.
import { serve } from '../../../main/hosts/start'

await serve({ port: 0, print: (line) => void process.stdout.write(`${line}\n`) })
