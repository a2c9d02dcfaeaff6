-- Neovim's own client of the base protocol of LSP, by way of socat, since it starts its servers.
--
-- SOCKET=... TREE=... nvim --headless -u NONE -c 'luafile neovim.lua' -c 'qa!'
local told, lines, answered = nil, {}, 0

local rpc = vim.lsp.rpc.start('socat', { '-', 'UNIX-CONNECT:' .. vim.env.SOCKET }, {
  notification = function(method) told = told or method end,
  on_error = function(code) table.insert(lines, 'failed: ' .. tostring(code)) end,
})

local function ask(method, params, say)
  rpc.request(method, params, function(err, result)
    answered = answered + 1
    table.insert(lines, method .. ': ' .. (err and tostring(err.code) or say(result)))
  end)
end

local query = { patterns = { 'kettle' }, cwd = vim.env.TREE }
ask('daemon.ping', vim.empty_dict(), function(result) return type(result.uptime_seconds) end)
ask('index.search', { query = query }, function(result) return result.matches[1].text end)
ask('index.changes', { dir = vim.env.TREE }, type)
ask('index.nothing', vim.empty_dict(), type)
vim.wait(60000, function() return answered == 4 and told ~= nil end, 5)
table.insert(lines, 'told: ' .. tostring(told))
table.sort(lines)
io.stdout:write(table.concat(lines, '\n') .. '\n')
