import helper

print(helper.ROWS)
