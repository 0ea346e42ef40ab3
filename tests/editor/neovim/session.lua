-- A session of an editor, told line by line: opens a spec, breaks it, asks about it, renames a task, mends it.
-- For Neovim 0.7 and later.
local sfml, folder, record = vim.env.SFML, vim.env.SHOP, vim.env.RECORD
local job = folder .. "/specs/clv/job_config.yaml"
local lines = {}

local function tell(text)
  for line in (text .. "\n"):gmatch("(.-)\n") do
    table.insert(lines, line)
  end
end

local function finish()
  vim.fn.writefile(lines, record)
  vim.cmd("qall!")
end

local function await(what, is_there)
  if not vim.wait(tonumber(vim.env.LIMIT), is_there, 20) then
    tell("TOO LONG: " .. what)
    finish()
  end
end

local function findings(buffer)
  local found = {}
  for _, one in ipairs(vim.diagnostic.get(buffer)) do
    table.insert(found, string.format("%d:%d %s %s", one.lnum + 1, one.col + 1, one.code or "", (one.message:gsub("\n.*", ""))))
  end
  table.sort(found)
  return found
end

local function expect(what, code, buffer)
  await(what, function()
    local found = vim.diagnostic.get(buffer)
    if code == nil then return #found == 0 end
    return #found == 1 and found[1].code == code
  end)
  tell("# " .. what)
  for _, one in ipairs(findings(buffer)) do tell(one) end
end

local function find(pattern)
  vim.fn.cursor(1, 1)
  vim.fn.search(pattern, "c")
end

local function ask(method, more)
  local parameters = vim.tbl_extend("force", vim.lsp.util.make_position_params(0, "utf-16"), more or {})
  local replies = vim.lsp.buf_request_sync(0, method, parameters, tonumber(vim.env.LIMIT)) or {}
  for _, reply in pairs(replies) do return reply.result, reply.error end
end

local function replace(old, new)
  local all = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  for number, line in ipairs(all) do
    local at, to = line:find(old, 1, true)
    if at then
      vim.api.nvim_buf_set_text(0, number - 1, at - 1, number - 1, to, { new })
      return
    end
  end
end

local ok, problem = pcall(function()
  vim.cmd("edit " .. job)
  local buffer = vim.api.nvim_get_current_buf()
  local client = vim.lsp.start_client({ name = "sfml", cmd = { sfml, "lsp" }, root_dir = folder })
  vim.lsp.buf_attach_client(buffer, client)
  local published = false
  local handler = vim.lsp.handlers["textDocument/publishDiagnostics"]
  vim.lsp.handlers["textDocument/publishDiagnostics"] = function(...)
    published = true
    return handler(...)
  end
  await("the first findings", function() return published end)
  expect("nothing is wrong", nil, buffer)

  replace("outcomes: [promote_model", "outcomes: [promote_modle")
  expect("a misspelt outcome", "SF304", buffer)

  local actions = vim.lsp.buf_request_sync(0, "textDocument/codeAction", {
    textDocument = vim.lsp.util.make_text_document_params(),
    range = { start = { line = 0, character = 0 }, ["end"] = { line = 99, character = 0 } },
    context = { diagnostics = {} },
  }, tonumber(vim.env.LIMIT))
  tell("# a quick fix")
  for _, reply in pairs(actions) do
    for _, action in ipairs(reply.result or {}) do
      tell(action.title)
      vim.lsp.util.apply_workspace_edit(action.edit, "utf-16")
    end
  end
  expect("mended", nil, buffer)

  find("clv.gate.check")
  tell("# hover")
  local told = ask("textDocument/hover")
  tell((told.contents.value:gsub("\n.*", "")) .. " " .. (told.contents.value:match("def [^\n]*") or ""))

  find("prepare_data]")
  local places = ask("textDocument/definition")
  tell("# definition")
  for _, one in ipairs(places) do
    tell(string.format("%s:%d", vim.fn.fnamemodify(vim.uri_to_fname(one.uri), ":t"), one.range.start.line + 1))
  end

  find("    timeout: 4h")
  vim.fn.cursor(vim.fn.line("."), 6)
  local items = ask("textDocument/completion").items
  local words = {}
  for _, item in ipairs(items) do words[item.label] = true end
  tell("# completion")
  tell(string.format("timeout %s, step %s", tostring(words["timeout"] == true), tostring(words["step"] == true)))

  find("^  train_model:")
  vim.fn.cursor(vim.fn.line("."), 4)
  local edit, refused = ask("textDocument/rename", { newName = "fit_model" })
  tell("# rename")
  if refused then tell(refused.message) end
  local changed = {}
  for uri, edits in pairs(edit.changes) do
    table.insert(changed, vim.fn.fnamemodify(vim.uri_to_fname(uri), ":t") .. " " .. #edits)
  end
  table.sort(changed)
  for _, one in ipairs(changed) do tell(one) end
  vim.lsp.util.apply_workspace_edit(edit, "utf-16")
  vim.cmd("wall")
  replace("version: 1", "version: [")
  expect("half typed", "SF101", buffer)
  replace("version: [", "version: 1")
  expect("whole again, and right after the rename", nil, buffer)
end)
if not ok then tell("FAILED: " .. tostring(problem)) end
finish()
