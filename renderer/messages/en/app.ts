// English texts: navigation, engine, connection, settings, notifications.
export const appTexts = {
  // navigation
  'nav.label': 'Main',
  'nav.chat': 'Chat',
  'nav.models': 'Models',
  'nav.convert': 'Convert',
  'nav.devices': 'Devices',
  'nav.settings': 'Settings',
  'nav.skip': 'Skip to content',

  // words used in several places
  'common.cancel': 'Cancel',
  'common.close': 'Close',
  'common.undo': 'Undo',
  'common.retry': 'Try again',
  'common.dismiss': 'Dismiss',
  'common.reset': 'Reset',
  'common.copied': 'Copied',
  'common.automatic': 'Automatic',
  'common.loading': 'Loading…',
  'common.code': 'Code: {code}',

  // engine
  'engine.lookAtCode': 'Look at its code',
  'consent.title': 'A tokenizer written in Python',
  'consent.text':
    'The model {model} has a tokenizer of its own: {className}. It decides what the model reads. Run it only if you trust these files.',
  'consent.limits':
    "The sandbox gives it no files but the model's vocabulary, no network, no environment, 512 MiB of memory and a few seconds per text. If a file changes, you are asked again.",
  'consent.run': 'Run in sandbox',
  'settings.trusted': 'Tokenizers that may run',
  'settings.trustedHelp': 'Python files of models that you agreed to, in the sandbox',
  'settings.withdraw': 'Withdraw',
  'engine.choose': 'Choose a model',
  'engine.starting': 'Starting the engine',
  'engine.idle': 'No model loaded',
  'engine.loading': 'Loading {model}',
  'engine.failed': '{model} failed to load',
  'engine.crashed': 'Engine stopped',
  'engine.crashedTitle': 'The engine stopped',
  'engine.reload': 'Reload model',
  'engine.loadGuide': 'Load guide',
  'engine.weightFormat': 'Weight format: {format}',
  'engine.stage.start': 'Reading the configuration',
  'engine.stage.weights': 'Checking the weights',
  'engine.stage.graph': 'Building the graph',
  'engine.stage.prepare': 'Preparing the weights',
  'engine.stage.session': 'Preparing the sessions',

  // connection
  'connection.lost': 'The connection to Weightroom was lost',
  'connection.lostText': 'Trying to reach it again. If it was closed, start it once more and open the address that it prints.',

  // settings
  'settings.title': 'Settings',
  'settings.appearance': 'Appearance',
  'settings.theme': 'Theme',
  'settings.theme.system': 'System',
  'settings.theme.light': 'Light',
  'settings.theme.dark': 'Dark',
  'settings.language': 'Language',
  'settings.language.system': 'System',
  'settings.chat': 'Chat',
  'settings.systemPrompt': 'Default system prompt',
  'settings.systemPromptHelp': 'Used in every chat that has none of its own.',
  'settings.engine': 'Engine',
  'settings.threads': 'Threads',
  'settings.threadsHelp': 'Processor threads used for computing. Takes effect when a model is loaded.',
  'settings.contextLength': 'Context length',
  'settings.contextLengthHelp': 'Tokens that a conversation may take. Takes effect when a model is loaded.',
  'settings.shortcuts': 'Shortcuts',
  'settings.about': 'About',
  'settings.version': 'Version',
  'settings.licence': 'Licence',
  'settings.licenceName': 'MIT',
  'settings.dataFolder': 'Data folder',
  'settings.copyPath': 'Copy path',
  'settings.privacy': 'Privacy',
  'settings.privacyText': 'Weightroom never phones home. Models, conversations and settings stay on this computer.',
  'settings.loadFailed': 'The settings could not be read.',

  // shortcuts
  'keys.send': 'Send',
  'keys.newline': 'New line',
  'keys.stop': 'Stop the reply',
  'keys.newChat': 'New chat',
  'keys.search': 'Search chats',
  'keys.sidebar': 'Show or hide conversations',
  'keys.panel': 'Show or hide chat settings',
  'keys.settings': 'Settings',
  'keys.regenerate': 'Write another reply',

  // notifications
  'toasts.label': 'Notifications',

  // markdown
  'markdown.image': 'Image not loaded: {text}',
  'markdown.code': 'Code',
} as const
