// Entry of the window: styles, client, session, app.
import '@fontsource-variable/inter/index.css'
import '@fontsource-variable/inter/wght-italic.css'
import { mount } from 'svelte'
import { createClient } from './api/create-client'
import App from './App.svelte'
import { applyRemembered } from './lib/appearance'
import { Session } from './state/session.svelte'
import './styles/tokens.css'
import './styles/base.css'
import './styles/markdown.css'

const target = document.getElementById('app')
if (target === null) throw new Error('The page has no #app element.')

applyRemembered()
const session = new Session(createClient())
mount(App, { target, props: { session } })
session.start()
