// The chat database's schema as a list of steps; `user_version` counts how many of them a file has had.

/** Characters of a message that the search index covers: indexing a million characters would hold the process for a fifth of a second. */
const INDEXED_CHARS = 50_000

const first = `
create table chats(
  seq integer primary key,
  id text not null unique,
  title text not null,
  created_at_ms integer not null,
  updated_at_ms integer not null,
  deleted_at_ms integer,
  system_prompt text,
  sampling text,
  leaf_id text,
  message_count integer not null default 0
) strict;
create index chats_by_update on chats(updated_at_ms);

create table messages(
  seq integer primary key,
  id text not null unique,
  chat_id text not null references chats(id) on delete cascade,
  parent_id text,
  role text not null check(role in ('user', 'assistant')),
  content text not null,
  created_at_ms integer not null,
  status text not null check(status in ('streaming', 'complete', 'interrupted')),
  finish_reason text,
  stats text,
  error text,
  model_name text,
  writer_pid integer
) strict;
create index messages_by_chat on messages(chat_id, seq);
create index messages_streaming on messages(seq) where status = 'streaming';

create virtual table chats_fts using fts5(title, content='', contentless_delete=1, tokenize='trigram');
create trigger chats_insert after insert on chats begin
  insert into chats_fts(rowid, title) values (new.seq, new.title);
end;
create trigger chats_retitle after update of title on chats begin
  delete from chats_fts where rowid = new.seq;
  insert into chats_fts(rowid, title) values (new.seq, new.title);
end;
create trigger chats_delete after delete on chats begin
  delete from chats_fts where rowid = old.seq;
end;

create virtual table messages_fts using fts5(content, content='', contentless_delete=1, tokenize='trigram');
create trigger messages_count_up after insert on messages begin
  update chats set message_count = message_count + 1 where id = new.chat_id;
end;
create trigger messages_insert after insert on messages when new.status <> 'streaming' begin
  insert into messages_fts(rowid, content) values (new.seq, substr(new.content, 1, ${INDEXED_CHARS}));
end;
create trigger messages_update after update of content, status on messages when new.status <> 'streaming' begin
  delete from messages_fts where rowid = new.seq;
  insert into messages_fts(rowid, content) values (new.seq, substr(new.content, 1, ${INDEXED_CHARS}));
end;
create trigger messages_delete after delete on messages begin
  delete from messages_fts where rowid = old.seq;
  update chats set message_count = message_count - 1 where id = old.chat_id;
end;
`

/** What a reply's tokens were and what the model saw: read only when asked for, so it stays out of every select list. */
const second = 'alter table messages add column record blob;'

/** Step n brings a file of version n to version n + 1. A released step is never changed. */
export const migrations: readonly string[] = [first, second]
